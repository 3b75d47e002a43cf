// Where the links of letters lead: a new password, a confirmed address, an invitation. Nobody need be signed in here. The token stands
// behind the # of the address, which no server and no log gets to see.

import { html, useEffect, useState } from '../html.js';
import { Mark } from '../icons.js';
import { go } from '../router.js';
import { asProblem, changed, client, me, notify, useCell } from '../state.js';
import { Busy, Button, Field, useTitle } from '../ui.js';
import { SignInPage } from './sign-in.js';

/** @param {{id: string}} props */
export default function LetterPage({ id }) {
  const [token] = useState(() => decodeURIComponent(location.hash.slice(1)));
  // It is not left in the address, for whoever looks at the screen or at the history.
  useEffect(() => history.replaceState(null, '', location.pathname), []);
  if (!token) return html`<${Door} title="The link is not whole"><p>Open it from the letter again, or copy all of it.</p><p class="door-other"><a href="/">To the beginning</a></p></${Door}>`;
  if (id === 'reset') return html`<${Reset} token=${token} />`;
  if (id === 'verify') return html`<${Confirmed} token=${token} />`;
  return html`<${Invitation} token=${token} />`;
}

/** @param {{title: string, children: any}} props */
function Door({ title, children }) {
  useTitle(title);
  return html`<main class="door" id="main"><div class="door-card"><p class="brand brand-large"><${Mark} />Symphainy</p><h1>${title}</h1>${children}</div></main>`;
}

/** @param {{token: string}} props */
function Reset({ token }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const new_password = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('new_password'));
    setBusy(true);
    setProblem(null);
    try {
      await client.auth.resetPassword({ token, new_password });
      notify('Your password is set. Sign in with it.');
      go('/sign-in');
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };
  return html`<${Door} title="Set a new password"><form class="stack" onSubmit=${submit} aria-busy=${String(isBusy)}>
    <${Field} name="new_password" label="The new password" type="password" autocomplete="new-password" required autofocus
      hint="A few words that you can remember make a good one. You are signed out everywhere." problem=${problem?.field('new_password')} />
    ${problem && problem.errors.length === 0 && html`<p class="wrong" role="alert">${problem.message}</p>`}
    <${Button} kind="primary" type="submit" disabled=${isBusy}>${isBusy ? 'It is being set…' : 'Set it'}</${Button}>
  </form></${Door}>`;
}

/** @param {{token: string}} props */
function Confirmed({ token }) {
  const [said, setSaid] = useState('');
  useEffect(() => {
    client.auth.confirmEmail({ token }).then(() => setSaid('Your address is confirmed.'), (error) => setSaid(asProblem(error).message));
  }, []);
  return html`<${Door} title="Your address">${said ? html`<p role="status">${said}</p><p class="door-other"><a href="/sign-in">Sign in</a></p>` : html`<${Busy}>It is being confirmed…</${Busy}>`}</${Door}>`;
}

/** Whoever is signed in accepts; anybody else signs in or registers first. @param {{token: string}} props */
function Invitation({ token }) {
  const person = useCell(me);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const accept = async () => {
    try {
      const joined = await client.tenants.join(token);
      await client.tenants.switch(joined.tenant_id);
      changed('account');
      location.assign('/');
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  if (person === undefined) return html`<${Door} title="You are invited"><${Busy}>Opening…</${Busy}></${Door}>`;
  if (person === null) return html`<${SignInPage} invitation=${token} onDone=${() => go('/', { replace: true })} />`;
  return html`<${Door} title="You are invited">
    <p>You are signed in as ${person.user.email}. Accepting takes you to the tenant that invites you; yours stays.</p>
    ${problem && html`<p class="wrong" role="alert">${problem.message}</p>`}
    <${Button} kind="primary" onClick=${accept}>Accept</${Button}>
    <p class="door-other"><a href="/">Not now</a></p>
  </${Door}>`;
}
