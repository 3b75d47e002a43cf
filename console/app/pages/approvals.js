// What waits for somebody's word, and what was decided.

import { ApprovalCard } from '../conversation/approval.js';
import { words } from '../format.js';
import { html, useState } from '../html.js';
import { changed, client, useLoaded } from '../state.js';
import { approval as readApproval } from '../../../clients/typescript/src/index.js';
import { Badge, Busy, Empty, PageHead, Time, Trouble } from '../ui.js';

const PAGE = 100;

export default function Approvals() {
  const [status, setStatus] = useState('pending');
  const { value, problem, isLoading, again } = useLoaded(() => client.approvals.list({ status, limit: PAGE }), [status], { topic: 'approvals' });
  const list = value?.approvals ?? [];
  const decide = async (/** @type {string} */ hookId, /** @type {any} */ decision) => {
    await client.approvals.decide(hookId, decision);
    changed('approvals');
  };
  return html`<div class="page">
    <${PageHead} title="Approvals" lead="What cannot be undone waits here until you say so. Until then nothing of it has happened." />
    <div class="toolbar"><label class="field"><span class="hint">Show</span><select value=${status} onChange=${(/** @type {any} */ event) => setStatus(event.target.value)}>
      <option value="pending">what waits</option><option value="approved">what was agreed to</option><option value="rejected">what was refused</option><option value="expired">what expired</option><option value="all">everything</option></select></label></div>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${isLoading && !value && html`<${Busy}>The approvals are being read…</${Busy}>`}
    ${value && list.length === 0 && html`<${Empty} title=${status === 'pending' ? 'Nothing waits for you.' : 'There is nothing of that kind.'}>
      <p>When an agent wants to do something that cannot be undone, it asks here and in its conversation.</p></${Empty}>`}
    <div class="stack">${list.filter((one) => one.status === 'pending').map((one) => html`<${ApprovalCard} key=${one.hook_id} approval=${readApproval(one)} status=${one.status}
      decide=${(/** @type {any} */ decision) => decide(one.hook_id, decision)}>${one.conversation_id && html`<a class="quiet-link" href=${`/conversations/${one.conversation_id}`}>In its conversation</a>`}</${ApprovalCard}>`)}</div>
    ${list.some((one) => one.status !== 'pending') && html`<ul class="list" aria-label="Decided">${list.filter((one) => one.status !== 'pending').map((one) => html`<li key=${one.hook_id} class="list-item">
      <div class="grow"><a class="list-title" href=${`/executions/${one.execution_id}`}>${words(one.proposed.intent_type)}</a>
        <p class="list-note">${Object.values(one.proposed.parameters).map(String).join(', ')}${one.rejection_reason ? ` (${one.rejection_reason})` : ''}</p></div>
      <${Badge} status=${one.status} /><span class="list-side"><${Time} at=${one.decided_at ?? one.created_at} /></span></li>`)}</ul>`}
  </div>`;
}
