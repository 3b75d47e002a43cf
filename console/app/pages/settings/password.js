// Changing one's password.

import { html, useState } from '../../html.js';
import { asProblem, client, me, notify, useCell } from '../../state.js';
import { Button, Field } from '../../ui.js';

export function Password() {
  const person = useCell(me);
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const change = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    const typed = /** @type {any} */ (Object.fromEntries(new FormData(form)));
    setBusy(true);
    setProblem(null);
    try {
      await client.auth.changePassword({ current_password: typed.current_password, new_password: typed.new_password });
      form.reset();
      notify('Your password is another one. Your other sign-ins have ended.');
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  return html`<section class="card"><h2>Password</h2>
    <form class="narrow stack" onSubmit=${change} aria-busy=${String(isBusy)}>
      <input type="hidden" name="username" autocomplete="username" value=${person.user.email} />
      <${Field} name="current_password" label="The present one" type="password" autocomplete="current-password" required problem=${problem?.field('current_password')} />
      <${Field} name="new_password" label="The new one" type="password" autocomplete="new-password" required hint="A few words that you can remember make a good one." problem=${problem?.field('new_password')} />
      ${problem && problem.errors.length === 0 && html`<p class="wrong" role="alert">${problem.message}</p>`}
      <div class="row row-end"><${Button} type="submit" disabled=${isBusy}>${isBusy ? 'It is being changed…' : 'Change it'}</${Button}></div>
    </form>
  </section>`;
}
