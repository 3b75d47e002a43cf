// The tenants that one works in: going over to another, leaving one, accepting an invitation.

import { html, useState } from '../../html.js';
import { asProblem, changed, client, me, notify, notifyProblem, useCell, useLoaded } from '../../state.js';
import { Badge, Button, Confirm, Field, Trouble } from '../../ui.js';

export function Tenants() {
  const person = useCell(me);
  const { value, problem, again } = useLoaded(() => client.tenants.list(), []);
  const [wrong, setWrong] = useState(/** @type {any} */ (null));
  const [isLeaving, setLeaving] = useState(false);
  const goOver = async (/** @type {any} */ tenant) => {
    try {
      await client.tenants.switch(tenant.tenant_id);
      changed('account');
      // Everything that is shown is of the other tenant now.
      location.assign('/');
    } catch (error) {
      notifyProblem(error);
    }
  };
  const leave = async () => {
    setLeaving(false);
    try {
      await client.tenant.remove(person.user.id);
      changed('account');
      location.assign('/');
    } catch (error) {
      notifyProblem(error);
    }
  };
  const join = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = /** @type {HTMLFormElement} */ (event.target);
    setWrong(null);
    try {
      const joined = await client.tenants.join(String(new FormData(form).get('token')).trim());
      form.reset();
      notify(`You work in ${joined.name} now too, as ${joined.role}.`);
      again();
    } catch (error) {
      setWrong(asProblem(error));
    }
  };
  return html`<section class="card"><h2>Tenants</h2>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    <ul class="list" aria-label="Tenants">${(value ?? []).map((tenant) => html`<li key=${tenant.tenant_id} class="list-item">
      <div class="grow"><span class="list-title">${tenant.name}</span><p class="list-note">as ${tenant.role}</p></div>
      ${tenant.current ? html`<${Badge} status="completed">here you are</${Badge}>
          ${tenant.role !== 'owner' && html`<${Button} onClick=${() => setLeaving(true)}>Leave it</${Button}>`}`
        : html`<${Button} onClick=${() => goOver(tenant)}>Go there</${Button}>`}
    </li>`)}</ul>
    <form class="narrow stack" onSubmit=${join}>
      <${Field} name="token" label="You are invited? The word of the invitation" autocomplete="off" required problem=${wrong?.message} />
      <div class="row row-end"><${Button} type="submit">Join</${Button}></div>
    </form>
    ${isLeaving && html`<${Confirm} title=${`Leave ${person.tenant.name}?`} verb="Leave" onConfirm=${leave} onClose=${() => setLeaving(false)}>
      <p>You come back when somebody invites you again.</p></${Confirm}>`}
  </section>`;
}
