// Executions: found by how they stand, followed while they run, and driven again where they failed for good.

import { intentName, took } from '../format.js';
import { html, useEffect, useState } from '../html.js';
import { go } from '../router.js';
import { client, notify, notifyProblem, useLoaded } from '../state.js';
import { Badge, Busy, Button, Empty, PageHead, Time, Trouble } from '../ui.js';

const PAGE = 50;
/** How often the list looks again while something in it runs, in milliseconds. */
const LOOK_AGAIN_MS = 3_000;
const STATES = ['running', 'pending', 'awaiting_approval', 'completed', 'failed', 'cancelled'];

/** @param {{query: URLSearchParams}} props */
export default function Executions({ query }) {
  const status = query.get('status') ?? '';
  const isDead = query.get('dead_letters') === 'true';
  const [cursors, setCursors] = useState(/** @type {string[]} */ ([]));
  const filter = { status: isDead ? undefined : status, dead_letters: isDead || undefined };
  const { value, problem, isLoading, again } = useLoaded(
    () => client.executions.list({ ...filter, limit: PAGE, cursor: cursors.at(-1) }), [status, isDead, cursors.at(-1)]);
  const list = value?.executions ?? [];
  const isMoving = list.some((one) => ['pending', 'running', 'awaiting_approval'].includes(one.status));
  useEffect(() => {
    if (!isMoving) return undefined;
    const timer = setInterval(() => document.hidden || again(), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, [isMoving]);
  const choose = (/** @type {any} */ event) => {
    const chosen = event.target.value;
    setCursors([]);
    go(chosen === 'dead' ? '/executions?dead_letters=true' : chosen ? `/executions?status=${chosen}` : '/executions');
  };
  const redrive = async (/** @type {any} */ one) => {
    try {
      await client.executions.redrive(one.execution_id);
      notify(`${intentName(one.intent_type)} is driven again.`);
      again();
    } catch (error) {
      notifyProblem(error);
    }
  };
  return html`<div class="page">
    <${PageHead} title="Executions" lead="Everything that was done here, by whom it was asked for, and how it went." />
    <div class="toolbar"><label class="field"><span class="hint">Show</span><select value=${isDead ? 'dead' : status} onChange=${choose}>
      <option value="">everything</option>${STATES.map((one) => html`<option value=${one}>${one.replaceAll('_', ' ')}</option>`)}<option value="dead">failed for good</option></select></label></div>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${isLoading && !value && html`<${Busy}>The executions are being read…</${Busy}>`}
    ${value && list.length === 0 && html`<${Empty} title=${status || isDead ? 'Nothing of that kind.' : 'Nothing was done yet.'}>
      <p>${isDead ? 'What fails for good stays here, and can be driven again once its reason is mended.' : 'Say something in a conversation, or upload a file: each becomes an execution.'}</p></${Empty}>`}
    ${list.length > 0 && html`<ul class="list" aria-label="Executions">${list.map((one) => html`<li key=${one.execution_id} class="list-item">
      <div class="grow"><a class="list-title" href=${`/executions/${one.execution_id}`}>${intentName(one.intent_type)}</a>
        <p class="list-note">${one.problem?.message ?? (one.parent_execution_id ? 'asked for by another execution' : one.conversation_id ? 'in a conversation' : 'asked for by itself')}${one.attempt > 1 ? `, attempt ${one.attempt}` : ''}</p></div>
      ${isDead && html`<${Button} icon="again" onClick=${() => redrive(one)}>Drive again</${Button}>`}
      <${Badge} status=${one.status} />
      ${one.started_at && one.completed_at && html`<span class="list-side">${took(one.started_at, one.completed_at)}</span>`}
      <span class="list-side"><${Time} at=${one.created_at} /></span>
    </li>`)}</ul>`}
    ${value && (cursors.length > 0 || value.next_cursor) && html`<div class="more row">
      <${Button} disabled=${cursors.length === 0} onClick=${() => setCursors(cursors.slice(0, -1))}>Newer</${Button}>
      <${Button} disabled=${!value.next_cursor} onClick=${() => setCursors([...cursors, value.next_cursor ?? ''])}>Older</${Button}></div>`}
  </div>`;
}
