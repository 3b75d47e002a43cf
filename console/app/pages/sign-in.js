// Signing in and registering.

import { html, useState } from '../html.js';
import { Mark } from '../icons.js';
import { asProblem, changed, client, me } from '../state.js';
import { Button, Field, useTitle } from '../ui.js';

/** @param {{onDone: () => void, invitation?: string}} props */
export function SignInPage({ onDone, invitation }) {
  const [isNew, setNew] = useState(Boolean(invitation));
  const [hasForgotten, setForgotten] = useState(false);
  /** What a letter was promised with. */
  const [promise, setPromise] = useState('');
  const [needsCode, setNeedsCode] = useState(false);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const typed = /** @type {any} */ (Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target))));
    setBusy(true);
    setProblem(null);
    try {
      if (hasForgotten) return setPromise((await client.auth.forgotPassword(typed.email)).message);
      const answer = await (isNew ? client.auth.register({ ...typed, invitation }) : client.auth.login({ email: typed.email, password: typed.password, code: typed.code }));
      // The address is to be confirmed first.
      if (!answer.user_id) return setPromise(answer.message);
      me.set(await client.me());
      changed('account');
      onDone();
    } catch (error) {
      const problem = asProblem(error);
      // Not a mistake: the address and the password were right.
      if (problem.code === 'second_factor_required') setNeedsCode(true);
      else setProblem(problem);
      setBusy(false);
    }
  };
  const toggle = () => {
    setNew(!isNew);
    setNeedsCode(false);
    setForgotten(false);
    setProblem(null);
  };
  const title = hasForgotten ? 'A new password' : isNew ? (invitation ? 'You are invited' : 'Make an account') : 'Sign in';
  useTitle(title);
  const isGeneral = problem && problem.errors.length === 0;
  return html`<main class="door" id="main">
    <div class="door-card">
      <p class="brand brand-large"><${Mark} />Symphainy</p>
      <h1>${title}</h1>
      ${promise && html`<p role="status">${promise}</p><p class="hint">Its link leads back here.</p>`}
      ${!promise && html`
      <form onSubmit=${submit} class="stack" aria-busy=${String(isBusy)}>
        ${isNew && html`<${Field} key="name" label="Your name" name="name" autocomplete="name" required maxlength="100" problem=${problem?.field('name')} />`}
        <${Field} label="E-mail address" name="email" type="email" autocomplete="username" required maxlength="254" problem=${problem?.field('email')} />
        ${!hasForgotten && html`<${Field} label="Password" name="password" type="password" autocomplete=${isNew ? 'new-password' : 'current-password'} required
          hint=${isNew ? 'A few words that you can remember make a good one.' : undefined} problem=${problem?.field('password')} />`}
        ${needsCode && !isNew && html`<${Field} label="The code of your authenticator" name="code" autocomplete="one-time-code" inputmode="numeric" required autofocus maxlength="32"
          hint="Or one of your recovery codes." problem=${problem?.field('code')} />`}
        ${isGeneral && html`<p class="wrong" role="alert">${problem.message}</p>`}
        <${Button} kind="primary" type="submit" disabled=${isBusy}>${isBusy ? (isNew ? 'Your account is being made…' : hasForgotten ? 'The letter is being asked for…' : 'Signing in…') : isNew ? 'Register' : hasForgotten ? 'Send me a letter' : 'Sign in'}</${Button}>
      </form>
      ${!isNew && !hasForgotten && html`<p class="door-other"><button type="button" class="link" onClick=${() => { setForgotten(true); setProblem(null); }}>You have forgotten your password?</button></p>`}
      <p class="door-other">${isNew ? 'You have an account?' : 'You are new here?'} <button type="button" class="link" onClick=${toggle}>${isNew ? 'Sign in' : 'Make an account'}</button></p>`}
    </div>
    <${DoorStave} />
  </main>`;
}

/** Five lines and a few voices: what the house is about. */
function DoorStave() {
  const notes = [[90, 62, 'guide'], [190, 44, 'content'], [300, 74, 'insights'], [400, 50, 'journey'], [500, 32, 'outcomes'], [600, 56, 'guide']];
  return html`<svg class="door-stave" viewBox="0 0 700 110" preserveAspectRatio="xMidYMid slice" aria-hidden="true">
    <path d="M0 20h700M0 38h700M0 56h700M0 74h700M0 92h700" />
    ${notes.map(([x, y, who]) => html`<ellipse class=${`voice-${who}`} cx=${x} cy=${y} rx="9.5" ry="7" transform=${`rotate(-20 ${x} ${y})`} />`)}
  </svg>`;
}
