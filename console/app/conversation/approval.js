// An approval as a card: what exactly would happen, why it is asked, and the two answers.

import { cell, inFull, until, words } from '../format.js';
import { html, useState } from '../html.js';
import { Fermata } from '../icons.js';
import { describeIntent, useIntents } from '../intents.js';
import { asProblem } from '../state.js';
import { Button } from '../ui.js';

/** @type {Record<string, string>} */
const DECIDED = {
  approved: 'You agreed.',
  rejected: 'You said no. Nothing of it was done.',
  expired: 'Nobody decided in time. Nothing of it was done.',
  withdrawn: 'It was stopped before anybody decided. Nothing of it was done.',
};

/** @param {{approval: any, status: string, decide: (decision: any) => Promise<any>, children?: any}} props */
export function ApprovalCard({ approval, decide, children }) {
  const [corrections, setCorrections] = useState(/** @type {Record<string, any> | null} */ (null));
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const intents = useIntents();
  const { intent_type: intent, parameters } = approval.proposed;
  const answer = async (/** @type {boolean} */ approved) => {
    setBusy(true);
    setProblem('');
    try {
      await decide({ approved, corrections: approved ? changedOnly(corrections ?? {}, parameters) : {} });
    } catch (error) {
      setProblem(asProblem(error).message);
    }
    setBusy(false);
  };
  if (approval.status !== 'pending') {
    return html`<div class=${`approval approval-${approval.status}`}>
      <p class="approval-done"><${Fermata} size=${18} />${DECIDED[approval.status] ?? approval.status}</p>
    </div>`;
  }
  return html`<section class="approval approval-pending" aria-label=${`Approval: ${words(intent)}`}>
    <h3><${Fermata} />${words(intent)}?</h3>
    <p>${describeIntent(intents, intent) ?? ''}</p>
    <dl class="facts">
      ${shown(parameters).map(([name, value]) => html`<dt><label for=${`${approval.hookId}-${name}`}>${words(name)}</label></dt>
        <dd>${corrections && typeof value !== 'object'
          ? html`<input id=${`${approval.hookId}-${name}`} defaultValue=${String(value)} onInput=${(/** @type {any} */ event) => setCorrections({ ...corrections, [name]: typed(event.target.value, value) })} />`
          : html`<b>${cell(value)}</b>`}</dd>`)}
      <dt>Asked because</dt><dd>${approval.reason}</dd>
      <dt>Waits for</dt><dd title=${inFull(approval.expiresAt)}>${until(approval.expiresAt)} more</dd>
    </dl>
    ${problem && html`<p class="wrong" role="alert">${problem}</p>`}
    <div class="row">
      <${Button} kind="primary" icon="check" disabled=${isBusy} onClick=${() => answer(true)}>${corrections ? 'Agree, so changed' : 'Agree'}</${Button}>
      <${Button} icon="close" disabled=${isBusy} onClick=${() => answer(false)}>Do not</${Button}>
      ${!corrections && Object.keys(parameters).length > 0 && html`<${Button} kind="quiet" disabled=${isBusy} onClick=${() => setCorrections({})}>Change it first</${Button}>`}
      ${children}
    </div>
  </section>`;
}

/** What says something to a person: not the id of a thing whose name stands beside it. @param {Record<string, any>} parameters */
function shown(parameters) {
  return Object.entries(parameters).filter(([name]) => !(name.endsWith('_id') && parameters[name.slice(0, -'_id'.length)]));
}

/** What was typed, of the kind that it was before. @param {string} text @param {unknown} before */
function typed(text, before) {
  if (typeof before === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text);
  if (typeof before === 'boolean') return text.trim().toLowerCase() === 'true';
  return text;
}

/** @param {Record<string, any>} corrections @param {Record<string, any>} before */
function changedOnly(corrections, before) {
  return Object.fromEntries(Object.entries(corrections).filter(([name, value]) => value !== before[name]));
}
