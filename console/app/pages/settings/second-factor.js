// The second factor: setting it up, the codes for the day the phone is lost, and turning it off.

import { count } from '../../format.js';
import { html, useState } from '../../html.js';
import { asProblem, client, notify, notifyProblem, useLoaded } from '../../state.js';
import { Badge, Busy, Button, Dialog, Field, Trouble } from '../../ui.js';

export function SecondFactor() {
  const { value, problem, again } = useLoaded(() => client.auth.secondFactor(), []);
  const [step, setStep] = useState(/** @type {any} */ (null));
  const close = () => {
    setStep(null);
    again();
  };
  return html`<section class="card"><h2>Second factor</h2>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${!value && !problem && html`<${Busy}>Whether there is one is being read…</${Busy}>`}
    ${value && html`<p>${value.enrolled ? html`<${Badge} status="completed">on</${Badge}> ${count(value.recovery_codes_left, 'recovery code')} left.`
      : 'A sign-in then needs a code of your phone besides the password.'}</p>
    <div class="row row-end">${value.enrolled
      ? html`<${Button} onClick=${() => setStep({ kind: 'off' })}>Turn it off</${Button}>`
      : html`<${Button} onClick=${() => setStep({ kind: 'password' })}>Set it up</${Button}>`}</div>`}
    ${step?.kind === 'password' && html`<${Step} title="Set up the second factor" verb="Go on" onClose=${close} fields=${[PASSWORD]}
      send=${async (/** @type {any} */ typed) => setStep({ kind: 'confirm', offer: await client.auth.offerSecondFactor(typed) })} />`}
    ${step?.kind === 'confirm' && html`<${Step} title="Set up the second factor" verb="Turn it on" onClose=${close} fields=${[CODE]}
      send=${async (/** @type {any} */ typed) => setStep({ kind: 'codes', codes: (await client.auth.confirmSecondFactor(typed)).recovery_codes })}>
      <p>Open an authenticator app, add an account by hand, and type this key:</p>
      <p><code class="secret">${inGroups(step.offer.secret)}</code></p>
      <p class="hint">On this very device <a href=${step.offer.uri}>the app opens by itself</a>. Then say the code that it shows.</p>
    </${Step}>`}
    ${step?.kind === 'codes' && html`<${Codes} codes=${step.codes} onClose=${close} />`}
    ${step?.kind === 'off' && html`<${Step} title="Turn the second factor off?" verb="Turn it off" onClose=${close} fields=${[PASSWORD, CODE]}
      send=${async (/** @type {any} */ typed) => {
        await client.auth.removeSecondFactor(typed);
        notify('The second factor is off.');
        close();
      }}><p>From then on the password alone signs you in.</p></${Step}>`}
  </section>`;
}

const PASSWORD = { name: 'password', label: 'Your password', type: 'password', autocomplete: 'current-password' };
const CODE = { name: 'code', label: 'The code', autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 32 };

/** A few fields in a dialog, and what is wrong with them. @param {any} props */
function Step({ title, verb, fields, send, onClose, children }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await send(Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target))));
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${title} onClose=${onClose}><form class="stack" onSubmit=${submit} aria-busy=${String(isBusy)}>
    ${children}
    ${fields.map((/** @type {any} */ field, /** @type {number} */ index) => html`<${Field} key=${field.name} ...${field} required autofocus=${index === 0} problem=${problem?.field(field.name)} />`)}
    ${problem && problem.errors.length === 0 && html`<p class="wrong" role="alert">${problem.message}</p>`}
    <div class="row row-end"><${Button} onClick=${onClose}>Leave it</${Button}><${Button} kind="primary" type="submit" disabled=${isBusy}>${verb}</${Button}></div>
  </form></${Dialog}>`;
}

/** @param {{codes: string[], onClose: () => void}} props */
function Codes({ codes, onClose }) {
  const copy = () => navigator.clipboard.writeText(codes.join('\n')).then(() => notify('The codes are copied.'), notifyProblem);
  return html`<${Dialog} title="The second factor is on" onClose=${onClose}>
    <p>Each of these signs you in once, when the phone is not at hand. They are not shown again: keep them where you keep what matters.</p>
    <ul class="secrets" aria-label="Recovery codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
    <div class="row row-end"><${Button} onClick=${copy}>Copy them</${Button}><${Button} kind="primary" onClick=${onClose}>I have them</${Button}></div>
  </${Dialog}>`;
}

/** Four letters and a space are easier to type. @param {string} secret */
const inGroups = (secret) => secret.replace(/(.{4})(?=.)/g, '$1 ');
