// Where one is signed in, and ending it there.

import { html, useState } from '../../html.js';
import { client, notify, notifyProblem, useLoaded } from '../../state.js';
import { Badge, Busy, Button, Confirm, Time, Trouble } from '../../ui.js';

export function SignIns() {
  const { value, problem, again } = useLoaded(() => client.auth.signIns(), []);
  const [asks, setAsks] = useState(/** @type {'others' | null} */ (null));
  const end = async (/** @type {Promise<any>} */ doing, /** @type {string} */ said) => {
    setAsks(null);
    try {
      await doing;
      notify(said);
      again();
    } catch (error) {
      notifyProblem(error);
    }
  };
  return html`<section class="card"><h2>Where you are signed in</h2>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${!value && !problem && html`<${Busy}>The sign-ins are being read…</${Busy}>`}
    <ul class="list" aria-label="Sign-ins">${(value ?? []).map((one) => html`<li key=${one.sign_in_id} class="list-item">
      <div class="grow"><span class="list-title">${clientName(one.agent)}</span>
        <p class="list-note">${one.address ?? 'an unknown address'}, last used <${Time} at=${one.used_at} /></p></div>
      ${one.current ? html`<${Badge} status="completed">this one</${Badge}>`
        : html`<${Button} onClick=${() => end(client.auth.endSignIn(one.sign_in_id), 'That sign-in has ended.')}>End it</${Button}>`}
    </li>`)}</ul>
    ${value && value.length > 1 && html`<div class="row row-end"><${Button} onClick=${() => setAsks('others')}>End all others</${Button}></div>`}
    ${asks && html`<${Confirm} title="End all other sign-ins?" verb="End them" onClose=${() => setAsks(null)}
      onConfirm=${() => end(client.auth.endOtherSignIns(), 'All others have ended.')}>
      <p>Every other browser and program that is signed in as you has to sign in again. This one goes on.</p></${Confirm}>`}
  </section>`;
}

/** A browser's or program's name out of what it calls itself. @param {string | null | undefined} agent */
export function clientName(agent) {
  if (!agent) return 'An unnamed client';
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\/[\d.]+/.exec(agent)?.[1];
  const names = /** @type {Record<string, string>} */ ({ Edg: 'Edge', OPR: 'Opera' });
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  if (!browser) return agent.split(' ')[0].slice(0, 60);
  return `${names[browser] ?? browser}${system ? ` on ${system.replace('Mac OS X', 'macOS')}` : ''}`;
}
