// One conversation over the agent socket. It is made again by itself, goes on from the last number it saw, and sends again
// what was not acknowledged: the server knows a message by its id, so that twice is once.

import { Backoff } from './backoff.js';
import { Problem } from './problem.js';

/**
 * @typedef {import('../types/socket.js').SocketEvent} SocketEvent
 * @typedef {{state: 'connecting' | 'open' | 'waiting' | 'closed', retryAt?: number, problem?: Problem}} SocketStatus
 * @typedef {{
 *   after?: number,
 *   sessionId?: string,
 *   onEvent?: (event: SocketEvent) => void,
 *   onStatus?: (status: SocketStatus) => void,
 *   onRefused?: (refusal: {error: string, code: string, replyTo?: string}) => void,
 * }} ConversationOptions
 */

/** How long a socket may be silent before it is asked whether it is still there, and how long it has for its answer. */
const SILENCE_MS = 25_000;
const PONG_MS = 10_000;
/** How long the opening of a socket may take. */
const OPEN_MS = 10_000;
/** Messages that wait to be sent; more than that nobody typed. */
const MAX_UNSENT = 50;

/** The close codes of the contract that a client does something about. */
const CLOSED = { done: 1000, tokenExpired: 4401, notAllowed: 4403 };

export class ConversationSocket {
  /**
   * @param {import('./http.js').Http} http
   * @param {string} conversationId
   * @param {ConversationOptions} options
   * @param {typeof WebSocket} [Socket]
   */
  constructor(http, conversationId, options, Socket) {
    this.http = http;
    this.conversationId = conversationId;
    this.options = options;
    this.Socket = Socket ?? globalThis.WebSocket;
    if (!this.Socket) {
      throw new Error('There is no WebSocket here: pass one as `WebSocket`, or run Node with --experimental-websocket.');
    }
    /** The number of the last event that was handed out; `null` until the conversation is known to be there. */
    this.cursor = options.after ?? null;
    /** @type {Map<string, object>} What was said and not acknowledged yet, by the message's id. */
    this.unsent = new Map();
    /** @type {object[]} Whatever else was to be sent while there was no socket. */
    this.orders = [];
    this.backoff = new Backoff();
    /** @type {WebSocket | null} */
    this.socket = null;
    /** @type {WebSocket | null} The next one, which takes over from `socket` once it is open. */
    this.next = null;
    this.isClosed = false;
    /** Whether a ticket is under way. */
    this.isAsking = false;
    this.timers = { retry: 0, silence: 0, pong: 0, open: 0 };
    this.wake = () => this.socket?.readyState !== 1 && !this.next && this.connect();
    globalThis.addEventListener?.('online', this.wake);
    this.connect();
  }

  /**
   * Says something. The message is sent now, or as soon as there is a connection, and once.
   * @param {string} text
   * @param {{id?: string, agentId?: string, surface?: string}} [options]
   * @returns {string} the message's id
   */
  say(text, { id = newId('msg'), agentId, surface } = {}) {
    if (this.unsent.size >= MAX_UNSENT) throw new Error('Too much waits to be sent already. Wait for the connection.');
    const context = { conversation_id: this.conversationId, surface };
    const frame = { type: 'agent.message', id, payload: { text, agent_id: agentId, context } };
    this.unsent.set(id, frame);
    this.write(frame);
    return id;
  }

  /** Stops a turn. What had been said stays. @param {string} executionId */
  cancel(executionId) {
    this.order({ type: 'agent.cancel', execution_id: executionId });
  }

  /**
   * Answers an approval.
   * @param {string} hookId
   * @param {import('../types/api.js').Decision} decision
   */
  decide(hookId, decision) {
    this.order({ type: 'approval.respond', hook_id: hookId, ...decision });
  }

  /** Ends the connection. What the agents do goes on. */
  close() {
    this.isClosed = true;
    globalThis.removeEventListener?.('online', this.wake);
    this.clear();
    this.next?.close(CLOSED.done);
    this.socket?.close(CLOSED.done);
    this.tell({ state: 'closed' });
  }

  /** Connects; beside a socket that is open, the new one takes over when it is open too. */
  async connect() {
    if (this.isClosed || this.next || this.isAsking) return;
    this.isAsking = true;
    clearTimeout(this.timers.retry);
    if (this.socket?.readyState !== 1) this.tell({ state: 'connecting' });
    try {
      const { ticket } = await this.http.ask('POST', '/api/auth/ticket', { json: {} });
      if (this.isClosed) return;
      const url = new URL(`${this.http.baseUrl.replace(/^http/, 'ws')}/api/runtime/agent`);
      url.searchParams.set('ticket', ticket);
      if (this.options.sessionId) url.searchParams.set('session_id', this.options.sessionId);
      this.open(new this.Socket(url.href));
    } catch (error) {
      const problem = error instanceof Problem ? error : Problem.unreachable(error);
      if (problem.status === 401) return this.tell({ state: 'waiting', problem });
      this.retry(problem, (problem.retryAfter ?? 0) * 1000);
    } finally {
      this.isAsking = false;
    }
  }

  /** @param {WebSocket} socket */
  open(socket) {
    this.next = socket;
    this.timers.open = Number(setTimeout(() => socket.close(), OPEN_MS));
    socket.onopen = () => {
      clearTimeout(this.timers.open);
      const before = this.socket;
      [this.socket, this.next] = [socket, null];
      if (before) {
        before.onclose = before.onmessage = null;
        before.close(CLOSED.done);
      }
      this.backoff.reset();
      this.takeUp();
      this.tell({ state: 'open' });
    };
    socket.onmessage = (message) => socket === this.socket && this.hear(String(message.data));
    socket.onclose = (event) => this.lost(socket, event.code);
  }

  /** Says again what may have got lost, and goes on from where the events ended. */
  takeUp() {
    for (const frame of this.unsent.values()) this.write(frame);
    if (this.cursor !== null || this.unsent.size > 0) this.resume();
    const orders = this.orders.splice(0);
    orders.forEach((order) => this.write(order));
    this.watchSilence();
  }

  resume() {
    this.write({ type: 'agent.resume', conversation_id: this.conversationId, after: this.cursor ?? 0 });
  }

  /** @param {string} text */
  hear(text) {
    this.watchSilence();
    const frame = JSON.parse(text);
    if (frame.type === 'pong') return;
    if (frame.type === 'error') return this.refused(frame);
    if (frame.type !== 'runtime_event') return;
    if (frame.event_type === 'auth.expiring') return void this.goOn();
    if (typeof frame.seq !== 'number') return;
    const known = this.cursor ?? 0;
    if (frame.seq <= known) return;
    // A hole cannot be: it is asked for again from where the numbers were whole.
    if (frame.seq > known + 1) return this.resume();
    this.cursor = frame.seq;
    const said = frame.data?.message?.id;
    if (frame.event_type === 'execution.accepted' && said) this.unsent.delete(said);
    this.options.onEvent?.(frame);
  }

  /** @param {{error: string, code: string, reply_to?: string}} frame */
  refused(frame) {
    if (frame.reply_to) this.unsent.delete(frame.reply_to);
    // The cursor is of a conversation that is not there any more: begin with its first event.
    if (frame.code === 'bad_cursor' && this.cursor) {
      this.cursor = 0;
      return this.resume();
    }
    this.options.onRefused?.({ error: frame.error, code: frame.code, replyTo: frame.reply_to });
  }

  /** The token ends soon. Cookies cannot be read, so that a socket with a new ticket takes over. */
  async goOn() {
    try {
      await this.http.refresh();
      const token = this.http.tokens?.access_token;
      if (token) this.write({ type: 'auth.refresh', access_token: token });
      else await this.connect();
    } catch {
      // The socket will be closed by the server, and what is wrong is found out then.
    }
  }

  /**
   * @param {WebSocket} socket
   * @param {number} code
   */
  lost(socket, code) {
    if (socket === this.next) this.next = null;
    else if (socket === this.socket) this.socket = null;
    else return;
    clearTimeout(this.timers.open);
    if (this.isClosed || this.socket) return;
    clearTimeout(this.timers.silence);
    clearTimeout(this.timers.pong);
    if (code === CLOSED.tokenExpired) return void this.http.refresh().then(() => this.connect(), (error) => this.retry(error));
    if (code === CLOSED.notAllowed) return void this.http.ended();
    this.retry(Problem.unreachable(code));
  }

  /**
   * @param {Problem} problem
   * @param {number} [least] milliseconds
   */
  retry(problem, least = 0) {
    if (this.isClosed) return;
    const wait = Math.max(least, this.backoff.next());
    clearTimeout(this.timers.retry);
    this.timers.retry = Number(setTimeout(() => this.connect(), wait));
    this.tell({ state: 'waiting', retryAt: Date.now() + wait, problem });
  }

  /** Half-open connections are silent for ever, so that silence is asked. */
  watchSilence() {
    clearTimeout(this.timers.silence);
    clearTimeout(this.timers.pong);
    this.timers.silence = Number(setTimeout(() => {
      this.write({ type: 'ping' });
      this.timers.pong = Number(setTimeout(() => this.giveUp(), PONG_MS));
    }, SILENCE_MS));
  }

  giveUp() {
    const socket = this.socket;
    if (!socket) return;
    socket.close();
    this.lost(socket, 1006);
  }

  /** @param {object} frame */
  order(frame) {
    if (!this.write(frame)) this.orders.push(frame);
  }

  /** @param {object} frame */
  write(frame) {
    if (this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** @param {SocketStatus} status */
  tell(status) {
    this.options.onStatus?.(status);
  }

  clear() {
    Object.values(this.timers).forEach((timer) => clearTimeout(timer));
  }
}

/** A new id of 128 random bits. @param {string} prefix */
export function newId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${prefix}_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
