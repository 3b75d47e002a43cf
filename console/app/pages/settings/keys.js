// API keys, by which programs work in one's name: made, shown once, ended.

import { html, useState } from '../../html.js';
import { asProblem, client, me, notify, notifyProblem, useCell, useLoaded } from '../../state.js';
import { Busy, Button, Confirm, Dialog, Field, Time, Trouble } from '../../ui.js';

const DAY_MS = 86_400_000;
const LIVES = [30, 90, 365];

export function Keys() {
  const { value, problem, again } = useLoaded(() => client.keys.list(), []);
  const [asks, setAsks] = useState(/** @type {any} */ (null));
  const revoke = async () => {
    try {
      await client.keys.revoke(asks.key.key_id);
      notify('The key has ended.');
      again();
    } catch (error) {
      notifyProblem(error);
    }
    setAsks(null);
  };
  return html`<section class="card"><h2>API keys</h2>
    <p class="hint">A program of yours works with a key in the place of a sign-in. Whatever this console does can be done by a program: <a href="/docs/" target="_blank">the API</a>.</p>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${!value && !problem && html`<${Busy}>The keys are being read…</${Busy}>`}
    <ul class="list" aria-label="API keys">${(value ?? []).map((key) => html`<li key=${key.key_id} class="list-item">
      <div class="grow"><span class="list-title">${key.name}</span>
        <p class="list-note"><code>${key.hint}…</code> ends <${Time} at=${key.expires_at} />, ${key.last_used_at ? html`last used <${Time} at=${key.last_used_at} />` : 'never used'}</p>
        <p class="list-note">${key.scopes ? key.scopes.join(', ') : 'everything that you may do'}</p></div>
      <${Button} label=${`End the key ${key.name}`} icon="trash" onClick=${() => setAsks({ kind: 'end', key })} />
    </li>`)}</ul>
    <div class="row row-end"><${Button} onClick=${() => setAsks({ kind: 'new' })}>Make a key</${Button}></div>
    ${asks?.kind === 'new' && html`<${NewKey} onClose=${() => setAsks(null)} onMade=${(/** @type {any} */ made) => (setAsks({ kind: 'made', made }), again())} />`}
    ${asks?.kind === 'made' && html`<${Made} made=${asks.made} onClose=${() => setAsks(null)} />`}
    ${asks?.kind === 'end' && html`<${Confirm} title=${`End the key ${asks.key.name}?`} verb="End it" onConfirm=${revoke} onClose=${() => setAsks(null)}>
      <p>Programs that use it are refused at once.</p></${Confirm}>`}
  </section>`;
}

/** @param {{onClose: () => void, onMade: (made: any) => void}} props */
function NewKey({ onClose, onMade }) {
  const { permissions } = useCell(me);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isLimited, setLimited] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const expires_at = new Date(Date.now() + Number(form.get('days')) * DAY_MS).toISOString();
    try {
      onMade(await client.keys.create({ name: String(form.get('name')).trim(), expires_at, scopes: isLimited ? form.getAll('scope').map(String) : undefined }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${Dialog} title="Make an API key" onClose=${onClose}><form class="stack" onSubmit=${submit}>
    <${Field} name="name" label="What it is for" required autofocus maxlength="100" problem=${problem?.field('name')} />
    <div class="field"><label for="field-days">How long it lasts</label>
      <select id="field-days" name="days">${LIVES.map((days) => html`<option value=${days} selected=${days === 90}>${days} days</option>`)}</select></div>
    <fieldset><legend>What it may do</legend>
      <label><input type="radio" name="all" checked=${!isLimited} onChange=${() => setLimited(false)} /> whatever you may</label>
      <label><input type="radio" name="all" checked=${isLimited} onChange=${() => setLimited(true)} /> only this</label>
      ${isLimited && html`<div class="checks">${permissions.map((/** @type {string} */ one) => html`<label><input type="checkbox" name="scope" value=${one} /> ${one}</label>`)}</div>`}
    </fieldset>
    ${problem && !problem.field('name') && html`<p class="wrong" role="alert">${problem.message}</p>`}
    <div class="row row-end"><${Button} onClick=${onClose}>Leave it</${Button}><${Button} kind="primary" type="submit">Make it</${Button}></div>
  </form></${Dialog}>`;
}

/** @param {{made: any, onClose: () => void}} props */
function Made({ made, onClose }) {
  const copy = () => navigator.clipboard.writeText(made.key).then(() => notify('The key is copied.'), notifyProblem);
  return html`<${Dialog} title="The key" onClose=${onClose}>
    <p>It is shown this once. It goes into the header <code>Authorization: Bearer …</code>, or into <code>SYMPHAINY_API_KEY</code> for <code>symphainy call</code>.</p>
    <p><code class="secret" aria-label="The key">${made.key}</code></p>
    <div class="row row-end"><${Button} onClick=${copy}>Copy it</${Button}><${Button} kind="primary" onClick=${onClose}>I have it</${Button}></div>
  </${Dialog}>`;
}
