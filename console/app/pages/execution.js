// One execution: how it stands, what it was asked, its timeline as it happens, and stopping it.

import { exactly, inFull, intentName, took, words } from '../format.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { describeIntent, useIntents } from '../intents.js';
import { changed, client, notify, notifyProblem, useLoaded } from '../state.js';
import { Badge, Busy, Button, Confirm, PageHead, Time, Trouble } from '../ui.js';

/** The most events that are drawn; the oldest of more are left out. */
const MAX_EVENTS = 500;
/** The most executions that are listed as called by one. */
const MAX_CALLED = 50;

/** @param {{id: string}} props */
export default function Execution({ id }) {
  const { value: execution, problem, again, set } = useLoaded(() => client.executions.get(id), [id]);
  const [asks, setAsks] = useState(false);
  const intents = useIntents();
  const events = useEvents(id, execution, again);
  if (problem) return html`<div class="page"><p class="crumbs"><a href="/executions">Executions</a></p><${Trouble} problem=${problem} again=${again} /></div>`;
  if (!execution) return html`<div class="page"><${Busy}>The execution is being read…</${Busy}></div>`;
  const hasEnded = ['completed', 'failed', 'cancelled'].includes(execution.status);
  const cancel = async () => {
    setAsks(false);
    try {
      set(await client.executions.cancel(id, 'It was cancelled in the console.'));
      changed('approvals');
    } catch (error) {
      notifyProblem(error);
    }
  };
  const redrive = async () => {
    try {
      set(await client.executions.redrive(id));
      notify('It is driven again.');
      again();
    } catch (error) {
      notifyProblem(error);
    }
  };
  const accepted = execution.events.find((event) => event.event_type === 'execution.accepted')?.data ?? {};
  const artifacts = Object.entries(execution.artifacts);
  return html`<div class="page">
    <p class="crumbs"><a href="/executions">Executions</a></p>
    <${PageHead} title=${intentName(execution.intent_type)} lead=${describeIntent(intents, execution.intent_type)}>
      <${Badge} status=${execution.status} />
      ${!hasEnded && html`<${Button} kind="stop" icon="stop" onClick=${() => setAsks(true)}>Cancel</${Button}>`}
      ${execution.status === 'failed' && !execution.parent_execution_id && html`<${Button} icon="again" onClick=${redrive}>Drive again</${Button}>`}
    </${PageHead}>
    ${execution.error && html`<div class="trouble"><p>${execution.error}</p>
      ${execution.problem && html`<p class="hint"><a href=${`/docs/errors#${execution.problem.code}`} target="_blank">What “${execution.problem.code}” means</a></p>`}</div>`}
    <dl class="facts card">
      ${accepted.message && html`<dt>Said</dt><dd>${accepted.message.content}</dd>`}
      <dt>Asked for</dt><dd title=${inFull(execution.created_at)}><${Time} at=${execution.created_at} /></dd>
      ${execution.started_at && html`<dt>Took</dt><dd>${execution.completed_at ? took(execution.started_at, execution.completed_at) : 'it runs'}</dd>`}
      <dt>Attempts</dt><dd>${execution.attempt}${execution.redrives ? `, driven again ${execution.redrives} times` : ''}</dd>
      ${execution.conversation_id && html`<dt>Conversation</dt><dd><a href=${`/conversations/${execution.conversation_id}`}>${execution.conversation_id}</a></dd>`}
      ${execution.parent_execution_id && html`<dt>Part of</dt><dd><a href=${`/executions/${execution.parent_execution_id}`}>${execution.parent_execution_id}</a></dd>`}
      <dt>Id</dt><dd><code>${id}</code></dd>
    </dl>
    ${artifacts.length > 0 && html`<section class="section"><h2>What it made</h2><ul class="list">${artifacts.map(([key, one]) => html`<li class="list-item">
      <div class="grow"><a class="list-title" href=${`/files/${one.artifact_id}`}>${one.semantic_descriptor?.title ?? one.artifact_id}</a><p class="list-note">${words(key)}</p></div></li>`)}</ul></section>`}
    <${Called} id=${id} status=${execution.status} />
    <section class="section"><h2>What happened</h2>
      ${events.length === MAX_EVENTS && html`<p class="hint">The newest ${MAX_EVENTS} events.</p>`}
      <ol class="events">${events.map((event) => html`<${EventLine} key=${event.seq} event=${event} begun=${execution.created_at} />`)}</ol>
      ${!hasEnded && html`<${Busy}>${execution.status === 'awaiting_approval' ? 'It waits for an approval…' : 'More is to come…'}</${Busy}>`}
    </section>
    ${execution.result && html`<section class="section"><h2>What it answered</h2><pre tabindex="0"><code>${JSON.stringify(execution.result, null, 2)}</code></pre></section>`}
    ${asks && html`<${Confirm} title="Cancel the execution?" verb="Cancel it" onConfirm=${cancel} onClose=${() => setAsks(false)}>
      <p>What runs is stopped as soon as it can be. What was done stays done.</p></${Confirm}>`}
  </div>`;
}

/** The executions that this one asked for. @param {{id: string, status: string}} props */
function Called({ id, status }) {
  const { value } = useLoaded(async () => (await client.executions.list({ parent: id, limit: MAX_CALLED })).executions, [id, status]);
  if (!value || value.length === 0) return null;
  return html`<section class="section"><h2>What it asked for</h2><ul class="list">${value.toReversed().map((one) => html`<li key=${one.execution_id} class="list-item">
    <div class="grow"><a class="list-title" href=${`/executions/${one.execution_id}`}>${intentName(one.intent_type)}</a>
      ${one.problem && html`<p class="list-note">${one.problem.message}</p>`}</div>
    <${Badge} status=${one.status} />${one.started_at && one.completed_at && html`<span class="list-side">${took(one.started_at, one.completed_at)}</span>`}</li>`)}</ul></section>`;
}

/** The events, and those that come, until the end. @param {string} id @param {any} execution @param {() => void} again @returns {any[]} */
function useEvents(id, execution, again) {
  const [events, setEvents] = useState(/** @type {any[]} */ ([]));
  const isFollowed = useRef(false);
  useEffect(() => {
    if (!execution || isFollowed.current) return undefined;
    setEvents(joined(execution.events));
    if (['completed', 'failed', 'cancelled'].includes(execution.status)) return undefined;
    isFollowed.current = true;
    const stop = new AbortController();
    /** @type {any[]} */
    let fresh = [];
    let isDue = false;
    const follow = async () => {
      for await (const event of client.executions.watch(id, { after: execution.events.at(-1)?.seq ?? 0, signal: stop.signal })) {
        fresh.push(event);
        if (isDue) continue;
        isDue = true;
        requestAnimationFrame(() => {
          isDue = false;
          const arrived = fresh;
          fresh = [];
          setEvents((before) => joined([...before, ...arrived]));
        });
      }
      if (!stop.signal.aborted) again();
    };
    follow().catch((error) => stop.signal.aborted || notify(error.message, 'bad'));
    return () => stop.abort();
  }, [id, Boolean(execution)]);
  useEffect(() => {
    if (execution && ['completed', 'failed', 'cancelled'].includes(execution.status)) setEvents(joined(execution.events));
  }, [execution?.status]);
  return events;
}

/** Tokens that follow each other are one line. @param {any[]} events */
function joined(events) {
  /** @type {any[]} */
  const all = [];
  for (const event of events) {
    const last = all.at(-1);
    if (event.event_type === 'agent.token' && last?.event_type === 'agent.token') {
      all[all.length - 1] = { ...last, data: { ...last.data, token: last.data.token + event.data.token } };
    } else {
      all.push(event);
    }
  }
  return all.slice(-MAX_EVENTS);
}

/** @type {Record<string, (data: any) => string>} */
const SAID = {
  'execution.accepted': () => 'It was accepted, and is durable',
  'execution.started': ({ attempt }) => (attempt > 1 ? `Attempt ${attempt} began` : 'It began'),
  'execution.step_started': ({ step }) => `Step ${step} began`,
  'execution.step_completed': ({ step }) => `Step ${step} is recorded`,
  'execution.retrying': ({ error }) => `It is tried again: ${error}`,
  'execution.awaiting_approval': ({ reason }) => `It waits for an approval: ${reason}`,
  'execution.completed': () => 'It is done',
  'execution.failed': ({ error }) => `It failed: ${error}`,
  'execution.cancelled': ({ reason }) => `It was cancelled${reason ? `: ${reason}` : ''}`,
  'agent.started': ({ agent_id: agent, routing }) => `${agent} took the turn: ${routing?.reason ?? ''}`,
  'agent.token': ({ token }) => `Said: ${token.length > 90 ? `${token.slice(0, 90)}…` : token}`,
  'agent.tool': ({ intent, state, error }) => `${words(intent)}: ${state}${error ? `, ${error}` : ''}`,
  'agent.completed': () => 'The answer is whole',
  'agent.failed': ({ error }) => `The answer failed: ${error}`,
  'agent.cancelled': () => 'The answer was stopped',
  'approval.pending': () => 'Somebody has to agree',
  'approval.decided': ({ approved }) => (approved ? 'It was approved' : 'It was refused'),
  'approval.expired': () => 'Nobody decided in time',
};

/** @param {string} type */
function tone(type) {
  if (/completed$/.test(type)) return 'good';
  if (/failed|cancelled|expired|retrying/.test(type)) return 'bad';
  return /approval|pending/.test(type) ? 'hold' : 'plain';
}

/** @param {{event: any, begun: string}} props */
function EventLine({ event, begun }) {
  return html`<li class=${`event event-${tone(event.event_type)}`}><details>
    <summary><span class="event-time" title=${exactly(event.timestamp)}>+${took(begun, event.timestamp)}</span><span>${SAID[event.event_type]?.(event.data) ?? event.event_type}</span></summary>
    <pre tabindex="0"><code>${JSON.stringify(event, null, 2)}</code></pre>
  </details></li>`;
}
