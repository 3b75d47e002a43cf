// A conversation put together from its messages and events: turns, who spoke in them and why, what they did, and what waits
// for somebody's word. It knows no screen and no network.

/**
 * @typedef {import('../types/api.js').Message} Message
 * @typedef {import('../types/api.js').Event} Event
 * @typedef {{kind: 'voice', agentId: string, rule?: string, reason?: string}} Voice
 * @typedef {{kind: 'text', agentId?: string, text: string}} Text
 * @typedef {{kind: 'tool', intent: string, agentId?: string, state: 'started' | 'completed' | 'failed', executionId?: string,
 *   error?: string, code?: string, artifacts?: Record<string, string>, startedAt: string, endedAt?: string,
 *   approval?: Approval}} Tool
 * @typedef {{hookId: string, executionId: string, status: string, reason: string, kind: string,
 *   proposed: {intent_type: string, parameters: Record<string, unknown>}, expiresAt: string, decidedAt?: string}} Approval
 * @typedef {Voice | Text | Tool} Part
 * @typedef {'sending' | 'refused' | 'waiting' | 'running' | 'completed' | 'failed' | 'cancelled'} TurnStatus
 */

/** One message of a person, and what came of it. */
export class Turn {
  /** @param {{id: string, text: string, at: string, status: TurnStatus, executionId?: string, seq?: number}} begun */
  constructor({ id, text, at, status, executionId, seq }) {
    this.id = id;
    this.text = text;
    this.at = at;
    /** @type {TurnStatus} */
    this.status = status;
    this.executionId = executionId;
    /** The number of the event with which it began. @type {number | undefined} */
    this.seq = seq;
    this.attempt = 1;
    /** @type {Part[]} */
    this.parts = [];
    /** What the turn made, by key. @type {Record<string, any>} */
    this.artifacts = {};
    /** Why it failed. @type {{error: string, code: string} | null} */
    this.problem = null;
    /** @type {Record<string, any> | null} */
    this.usage = null;
    /** When an attempt is made again. @type {string | null} */
    this.retryAt = null;
    this.endedAt = /** @type {string | null} */ (null);
    /** Whether the parts are all that happened: a turn that was read as two messages has only what was said. */
    this.isWhole = true;
    /** Grows with each change, so that a view knows whether it has seen this. */
    this.version = 0;
  }

  get hasEnded() {
    return ['refused', 'completed', 'failed', 'cancelled'].includes(this.status);
  }

  /** All that was said. */
  get said() {
    return this.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  }

  /** Who speaks at present. */
  get agentId() {
    for (let index = this.parts.length - 1; index >= 0; index--) {
      const { agentId } = this.parts[index];
      if (agentId) return agentId;
    }
    return undefined;
  }

  /** What waits for a word. @returns {Approval[]} */
  get pendingApprovals() {
    return this.parts.flatMap((part) => (part.kind === 'tool' && part.approval?.status === 'pending' ? [part.approval] : []));
  }
}

/** What ends a turn, by the event that tells it. @type {Record<string, TurnStatus>} */
const ENDS = { 'agent.completed': 'completed', 'agent.failed': 'failed', 'agent.cancelled': 'cancelled' };

export class Transcript {
  constructor() {
    /** Oldest first. @type {Turn[]} */
    this.turns = [];
    /** The turn that an execution, or a child of it, belongs to. @type {Map<string, Turn>} */
    this.byExecution = new Map();
    /** The number of the newest event that is in here. */
    this.cursor = 0;
  }

  /**
   * Puts a page of messages before what is there, and answers from which event on the rest is to be asked for: whoever was
   * not answered yet may be answered just now, and what was said so far stands in the events alone.
   * @param {Message[]} messages oldest first
   * @param {number} cursor the number of the conversation's newest event
   */
  load(messages, cursor = 0) {
    /** @type {Turn[]} */
    const turns = [];
    for (const message of messages) {
      if (message.role === 'user') {
        turns.push(this.begun(message));
        continue;
      }
      const turn = turns.findLast((one) => one.executionId === message.execution_id);
      if (turn) answer(turn, message);
    }
    this.turns = [...turns, ...this.turns];
    const open = turns.find((turn) => !turn.hasEnded);
    const after = open?.seq ? open.seq : cursor;
    this.cursor = Math.max(this.cursor, after);
    return after;
  }

  /** @param {Message} message */
  begun(message) {
    const turn = new Turn({
      id: message.id,
      text: message.content,
      at: message.created_at,
      status: 'waiting',
      executionId: message.execution_id ?? undefined,
      seq: message.seq,
    });
    if (turn.executionId) this.byExecution.set(turn.executionId, turn);
    return turn;
  }

  /**
   * A message that was just typed here. The server's event of it is known by the id.
   * @param {string} id
   * @param {string} text
   * @param {Date} [at]
   */
  say(id, text, at = new Date()) {
    const turn = new Turn({ id, text, at: at.toISOString(), status: 'sending' });
    this.turns.push(turn);
    return turn;
  }

  /**
   * A message that the server did not take.
   * @param {string} id
   * @param {string} error
   * @param {string} code
   */
  refuse(id, error, code) {
    const turn = this.turns.findLast((one) => one.id === id);
    if (!turn) return;
    turn.status = 'refused';
    turn.problem = { error, code };
    turn.version++;
  }

  /** Takes the next event in; answers the turn that it changed. @param {Event} event */
  take(event) {
    this.cursor = Math.max(this.cursor, event.seq);
    if (event.event_type === 'execution.accepted') return this.accepted(event);
    const turn = this.byExecution.get(event.execution_id);
    if (!turn) return null;
    if (turn.executionId === event.execution_id) own(turn, event);
    else childs(turn, event);
    turn.version++;
    return turn;
  }

  /** @param {Event} event */
  accepted({ data, execution_id, timestamp, seq }) {
    const parent = this.byExecution.get(data.parent_execution_id ?? '');
    if (parent) {
      this.byExecution.set(execution_id, parent);
      const tool = parent.parts.findLast((part) => part.kind === 'tool' && part.intent === data.intent_type);
      if (tool?.kind === 'tool' && data.parent_execution_id === parent.executionId) tool.executionId ??= execution_id;
      return null;
    }
    if (!data.message) return null;
    const { id, content } = data.message;
    let turn = this.byExecution.get(execution_id) ?? this.turns.findLast((one) => one.id === id);
    if (!turn) {
      turn = new Turn({ id, text: content, at: timestamp, status: 'waiting', executionId: execution_id, seq });
      this.turns.push(turn);
    }
    if (turn.status === 'sending') turn.status = 'waiting';
    Object.assign(turn, { executionId: execution_id, seq, at: timestamp });
    this.byExecution.set(execution_id, turn);
    turn.version++;
    return turn;
  }

  /**
   * Puts everything into a turn that was read as messages: the events of its execution.
   * @param {Turn} turn
   * @param {Event[]} events
   */
  complete(turn, events) {
    const whole = new Turn({ ...turn, status: 'waiting', executionId: turn.executionId });
    events.forEach((event) => own(whole, event));
    // An execution with very many events gives the newest only; what was said then stays as it was read.
    if (whole.said.length < turn.said.length) whole.parts = turn.parts;
    Object.assign(turn, { ...whole, version: turn.version + 1, isWhole: true });
  }
}

/**
 * @param {Turn} turn
 * @param {Message} message
 */
function answer(turn, message) {
  turn.status = 'completed';
  turn.isWhole = false;
  turn.endedAt = message.created_at;
  const agentId = message.agent_id ?? undefined;
  if (agentId) turn.parts.push({ kind: 'voice', agentId });
  turn.parts.push({ kind: 'text', agentId, text: message.content });
}

/**
 * An event of the turn's own execution.
 * @param {Turn} turn
 * @param {Event} event
 */
function own(turn, { event_type, data, timestamp }) {
  switch (event_type) {
    case 'agent.started':
      return started(turn, data);
    case 'agent.token':
      return token(turn, data);
    case 'agent.tool':
      return tool(turn, data, timestamp);
    case 'agent.completed':
    case 'agent.failed':
    case 'agent.cancelled':
      return ended(turn, ENDS[event_type], data, timestamp);
    case 'execution.started':
      turn.status = 'running';
      turn.retryAt = null;
      return undefined;
    case 'execution.retrying':
      turn.retryAt = data.retry_at ?? timestamp;
      return undefined;
    case 'execution.failed':
      if (!turn.hasEnded) ended(turn, 'failed', data, timestamp);
      return undefined;
    case 'execution.cancelled':
      if (!turn.hasEnded) ended(turn, 'cancelled', data, timestamp);
      return undefined;
    default:
      return undefined;
  }
}

/**
 * @param {Turn} turn
 * @param {any} data
 */
function started(turn, data) {
  turn.status = 'running';
  const attempt = data.attempt ?? 1;
  if (attempt > turn.attempt) {
    // What an attempt said that was cut off does not count; what waits for a word stays until its tool is told of again.
    turn.parts = turn.parts.filter((part) => part.kind === 'tool' && part.approval?.status === 'pending');
    turn.attempt = attempt;
  }
  turn.parts.push({ kind: 'voice', agentId: data.agent_id, rule: data.routing?.rule, reason: data.routing?.reason });
}

/**
 * @param {Turn} turn
 * @param {any} data
 */
function token(turn, data) {
  const last = turn.parts.at(-1);
  if (last?.kind === 'text') last.text += data.token;
  else turn.parts.push({ kind: 'text', agentId: data.agent_id, text: data.token });
}

/**
 * @param {Turn} turn
 * @param {any} data
 * @param {string} timestamp
 */
function tool(turn, data, timestamp) {
  const open = turn.parts.find((part) => part.kind === 'tool' && part.intent === data.intent && part.state === 'started');
  const told = {
    state: data.state,
    agentId: data.agent_id,
    error: data.error,
    code: data.code,
    artifacts: data.artifacts,
    executionId: data.tool_execution_id,
  };
  if (open?.kind === 'tool') {
    const executionId = told.executionId ?? open.executionId;
    Object.assign(open, told, { executionId, endedAt: data.state === 'started' ? undefined : timestamp });
    if (data.state === 'started') turn.parts = [...turn.parts.filter((part) => part !== open), open];
    return;
  }
  turn.parts.push({ kind: 'tool', intent: data.intent, startedAt: timestamp, ...told });
}

/**
 * @param {Turn} turn
 * @param {TurnStatus} status
 * @param {any} data
 * @param {string} timestamp
 */
function ended(turn, status, data, timestamp) {
  turn.status = status;
  turn.endedAt = timestamp;
  turn.retryAt = null;
  turn.artifacts = data.artifacts ?? {};
  turn.usage = data.usage ?? null;
  if (data.error) turn.problem = { error: data.error, code: data.code };
  const said = data.response;
  if (typeof said !== 'string' || said === turn.said) return;
  const kept = turn.parts.filter((part) => part.kind !== 'text');
  turn.parts = said ? [...kept, { kind: 'text', agentId: data.agent_id, text: said }] : kept;
}

/**
 * An event of an intent that the turn asked for.
 * @param {Turn} turn
 * @param {Event} event
 */
function childs(turn, { event_type, execution_id, data }) {
  if (event_type === 'approval.pending') {
    const tool = turn.parts.findLast(
      (part) => part.kind === 'tool' && part.state === 'started' && part.intent === data.proposed?.intent_type,
    );
    if (tool?.kind === 'tool') tool.approval = approval(data);
    return;
  }
  for (const part of turn.parts) {
    if (part.kind !== 'tool' || !part.approval || part.approval.executionId !== execution_id) continue;
    if (event_type === 'approval.decided') {
      part.approval.status = data.approved ? 'approved' : 'rejected';
      part.approval.decidedAt = data.decided_at;
    }
    if (event_type === 'approval.expired') part.approval.status = 'expired';
    if (event_type === 'execution.cancelled' && part.approval.status === 'pending') part.approval.status = 'withdrawn';
  }
}

/** @param {any} data @returns {Approval} */
export function approval(data) {
  return {
    hookId: data.hook_id,
    executionId: data.execution_id,
    status: data.status ?? 'pending',
    reason: data.reason,
    kind: data.kind,
    proposed: data.proposed,
    expiresAt: data.expires_at,
    decidedAt: data.decided_at ?? undefined,
  };
}
