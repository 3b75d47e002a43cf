// One open conversation: its transcript, its connection, and the pace at which a view hears of changes. It has no markup.

import { Transcript } from '../../../clients/typescript/src/index.js';
import { Cell, asProblem, changed, client, loadRecent, loadWaiting, me, notify, notifyProblem } from '../state.js';

/** Messages of one page. */
const PAGE = 60;
/** How long changes may wait where no frame is drawn, because the tab is hidden. */
const HIDDEN_MS = 250;
/** Executions that are read at the same time to make old turns whole. */
const MAX_READING = 3;
/** Turns that wait to be read; the oldest of more have long left the sight. */
const MAX_TO_READ = 30;
/** Events after which the lists beside the conversation are old. */
const MOVES_LISTS = new Set(['execution.accepted', 'agent.completed', 'agent.failed', 'agent.cancelled']);
const MOVES_APPROVALS = new Set(['approval.pending', 'approval.decided', 'approval.expired']);

export class Talk {
  /** @param {string} id @param {{isNew?: boolean, first?: Promise<any>}} [options] */
  constructor(id, { isNew = false, first } = {}) {
    this.id = id;
    this.isNew = isNew;
    this.transcript = new Transcript();
    /** @type {string} */
    this.title = '';
    /** Grows when something is to be drawn. */
    this.version = new Cell(0);
    this.status = new Cell(/** @type {import('../../../clients/typescript/src/socket.js').SocketStatus} */ ({ state: 'connecting' }));
    /** Why it cannot be shown. */
    this.problem = new Cell(/** @type {any} */ (null));
    this.isLoading = !isNew;
    /** For the messages before these. @type {string | null} */
    this.olderCursor = null;
    this.isLoadingOlder = false;
    /** What screen readers are told. */
    this.spoken = new Cell('');
    this.isClosed = false;
    this.isScheduled = false;
    /** @type {any[]} */
    this.toRead = [];
    this.reading = 0;
    /** @type {import('../../../clients/typescript/src/socket.js').ConversationSocket | null} */
    this.socket = null;
    if (isNew) this.connect();
    else this.load(first);
  }

  /** @param {Promise<any>} [first] */
  async load(first) {
    try {
      const read = await (first ?? client.conversations.get(this.id, { limit: PAGE }));
      if (this.isClosed) return;
      this.title = read.title;
      this.olderCursor = read.next_cursor ?? null;
      const after = this.transcript.load(read.messages, read.cursor);
      this.isLoading = false;
      this.connect(after);
      this.draw();
    } catch (error) {
      this.isLoading = false;
      this.problem.set(asProblem(error));
      this.draw();
    }
  }

  /** @param {number} [after] */
  connect(after) {
    this.socket = client.converse(this.id, {
      after,
      sessionId: me.value?.session.session_id,
      onEvent: (event) => this.hear(event),
      onStatus: (status) => this.status.set(status),
      onRefused: ({ error, code, replyTo }) => {
        if (replyTo) this.transcript.refuse(replyTo, error, code);
        else notify(error, 'bad');
        this.draw();
      },
    });
  }

  /** @param {any} event */
  hear(event) {
    const turn = this.transcript.take(event);
    if (MOVES_LISTS.has(event.event_type)) changed('conversations');
    if (MOVES_APPROVALS.has(event.event_type)) changed('approvals');
    this.speak(event, turn);
    this.draw();
  }

  /** @param {any} event @param {any} turn */
  speak({ event_type, data }, turn) {
    const name = String(data?.agent_id ?? 'guide').split('.').at(-1);
    if (event_type === 'agent.started') this.spoken.set(`${name} is answering.`);
    if (event_type === 'agent.completed') this.spoken.set(`${name} has answered.`);
    if (event_type === 'agent.failed') this.spoken.set('The answer failed.');
    if (event_type === 'agent.cancelled') this.spoken.set('The answer was stopped.');
    if (event_type === 'approval.pending' && turn) this.spoken.set('Your approval is needed.');
  }

  /** Has the view draw, once for each frame however much was heard. */
  draw() {
    if (this.isScheduled || this.isClosed) return;
    this.isScheduled = true;
    const now = () => {
      this.isScheduled = false;
      this.version.set(this.version.value + 1);
    };
    if (document.hidden) setTimeout(now, HIDDEN_MS);
    else requestAnimationFrame(now);
  }

  /** @param {string} text @param {{agentId?: string, surface?: string}} [options] */
  say(text, options = {}) {
    if (!this.socket) return;
    const id = this.socket.say(text, options);
    this.saidHere = id;
    this.transcript.say(id, text);
    this.isNew = false;
    this.title ||= text.slice(0, 80);
    this.draw();
  }

  /** The turn that is not at its end. */
  get open() {
    return this.transcript.turns.findLast((turn) => !turn.hasEnded);
  }

  stop() {
    const { executionId } = this.open ?? {};
    if (executionId) this.socket?.cancel(executionId);
  }

  /** @param {string} hookId @param {any} decision */
  async decide(hookId, decision) {
    await client.approvals.decide(hookId, decision);
    changed('approvals');
  }

  async older() {
    if (!this.olderCursor || this.isLoadingOlder) return;
    this.isLoadingOlder = true;
    this.draw();
    try {
      const read = await client.conversations.get(this.id, { limit: PAGE, before: this.olderCursor });
      this.olderCursor = read.next_cursor ?? null;
      this.transcript.load(read.messages);
    } catch (error) {
      notifyProblem(error);
    }
    this.isLoadingOlder = false;
    this.draw();
  }

  /** Makes a turn whole that was read as messages, when it comes into sight. @param {any} turn */
  complete(turn) {
    if (turn.isWhole || !turn.executionId || this.toRead.includes(turn)) return;
    this.toRead.push(turn);
    if (this.toRead.length > MAX_TO_READ) this.toRead.shift();
    this.readNext();
  }

  async readNext() {
    const turn = this.toRead.pop();
    if (!turn || turn.isWhole || this.isClosed || this.reading >= MAX_READING) return;
    this.reading++;
    try {
      const execution = await client.executions.get(turn.executionId);
      this.transcript.complete(turn, execution.events);
      this.draw();
    } catch {
      // What was said is there; how it came about can be asked for again.
    }
    this.reading--;
    this.readNext();
  }

  close() {
    this.isClosed = true;
    this.socket?.close();
  }
}

/** @type {Talk | null} */
let present = null;

/** The conversation of this address; there is one open at a time. @param {string} id @param {{isNew?: boolean, first?: Promise<any>}} [options] */
export function openTalk(id, options) {
  if (present?.id === id && !present.isClosed) return present;
  present?.close();
  present = new Talk(id, options);
  return present;
}

export function closeTalk() {
  present?.close();
  present = null;
}

/** Lists that follow from what happens; many events make one look. */
let isDue = false;
export function refreshLists() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    Promise.all([loadRecent(), loadWaiting()]).catch(() => {});
  }, HIDDEN_MS);
}
