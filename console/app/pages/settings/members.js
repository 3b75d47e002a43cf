// Who works in the tenant, and who is invited.

import { html, useState } from '../../html.js';
import { asProblem, client, me, notify, notifyProblem, useCell, useLoaded } from '../../state.js';
import { Badge, Busy, Button, Confirm, Dialog, Field, Time, Trouble } from '../../ui.js';

const ROLES = ['admin', 'member', 'viewer'];
const MANAGE = 'member:manage';

/** Nothing where the person may not see it. */
export function Members() {
  const person = useCell(me);
  return person.permissions.includes(MANAGE) ? html`<${MemberList} person=${person} />` : null;
}

/** @param {{person: any}} props */
function MemberList({ person }) {
  const load = async () => ({ members: await client.tenant.members(), invitations: await client.tenant.invitations() });
  const { value, problem, again } = useLoaded(load, []);
  const [asks, setAsks] = useState(/** @type {any} */ (null));
  const doing = async (/** @type {Promise<any>} */ done, /** @type {string} */ said) => {
    setAsks(null);
    try {
      await done;
      notify(said);
    } catch (error) {
      notifyProblem(error);
    }
    again();
  };
  const isOwner = person.roles.includes('owner');
  return html`<section class="card"><h2>Members of ${person.tenant.name}</h2>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${!value && !problem && html`<${Busy}>The members are being read…</${Busy}>`}
    <ul class="list" aria-label="Members">${(value?.members ?? []).map((member) => html`<li key=${member.user_id} class="list-item">
      <div class="grow"><span class="list-title">${member.name}</span><p class="list-note">${member.email || 'a service account'}</p></div>
      ${member.user_id === person.user.id || !ROLES.includes(member.role) ? html`<${Badge} status="completed">${member.role}</${Badge}>` : html`
        <select aria-label=${`The role of ${member.name}`} value=${member.role} onChange=${(/** @type {any} */ event) => doing(client.tenant.change(member.user_id, event.target.value), `${member.name} is ${event.target.value} now.`)}>
          ${ROLES.map((role) => html`<option value=${role} selected=${role === member.role}>${role}</option>`)}</select>
        ${isOwner && html`<${Button} onClick=${() => setAsks({ kind: 'transfer', member })}>Make owner</${Button}>`}
        <${Button} icon="trash" label=${`Remove ${member.name}`} onClick=${() => setAsks({ kind: 'remove', member })} />`}
    </li>`)}</ul>
    ${value && value.invitations.length > 0 && html`<h3>Invited</h3><ul class="list" aria-label="Invitations">${value.invitations.map((/** @type {any} */ one) => html`<li key=${one.invitation_id} class="list-item">
      <div class="grow"><span class="list-title">${one.email}</span><p class="list-note">as ${one.role}, until <${Time} at=${one.expires_at} /></p></div>
      <${Button} onClick=${() => doing(client.tenant.withdraw(one.invitation_id), 'The invitation is withdrawn.')}>Withdraw</${Button}>
    </li>`)}</ul>`}
    <div class="row row-end"><${Button} onClick=${() => setAsks({ kind: 'invite' })}>Invite somebody</${Button}></div>
    ${asks?.kind === 'invite' && html`<${Invite} onClose=${() => setAsks(null)} onInvited=${(/** @type {any} */ invited) => (setAsks({ kind: 'invited', invited }), again())} />`}
    ${asks?.kind === 'invited' && html`<${Invited} invited=${asks.invited} onClose=${() => setAsks(null)} />`}
    ${asks?.kind === 'remove' && html`<${Confirm} title=${`Remove ${asks.member.name}?`} verb="Remove" onClose=${() => setAsks(null)}
      onConfirm=${() => doing(client.tenant.remove(asks.member.user_id), `${asks.member.name} is out.`)}><p>From the next request on they are out. What they made stays theirs.</p></${Confirm}>`}
    ${asks?.kind === 'transfer' && html`<${Confirm} title=${`Make ${asks.member.name} the owner?`} verb="Hand it over" onClose=${() => setAsks(null)}
      onConfirm=${() => doing(client.tenant.transfer(asks.member.user_id), `${asks.member.name} is the owner now.`)}><p>A tenant has one owner. You become an admin.</p></${Confirm}>`}
  </section>`;
}

/** @param {{onClose: () => void, onInvited: (invited: any) => void}} props */
function Invite({ onClose, onInvited }) {
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const typed = /** @type {any} */ (Object.fromEntries(new FormData(/** @type {HTMLFormElement} */ (event.target))));
    try {
      onInvited(await client.tenant.invite(typed));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return html`<${Dialog} title="Invite somebody" onClose=${onClose}><form class="stack" onSubmit=${submit}>
    <${Field} name="email" label="Their e-mail address" type="email" required autofocus maxlength="254" problem=${problem?.field('email')} />
    <div class="field"><label for="field-role">As what</label><select id="field-role" name="role">${ROLES.map((role) => html`<option value=${role} selected=${role === 'member'}>${role}</option>`)}</select></div>
    ${problem && problem.errors.length === 0 && html`<p class="wrong" role="alert">${problem.message}</p>`}
    <div class="row row-end"><${Button} onClick=${onClose}>Leave it</${Button}><${Button} kind="primary" type="submit">Invite</${Button}></div>
  </form></${Dialog}>`;
}

/** @param {{invited: any, onClose: () => void}} props */
function Invited({ invited, onClose }) {
  const copy = () => navigator.clipboard.writeText(invited.token).then(() => notify('It is copied.'), notifyProblem);
  return html`<${Dialog} title=${`${invited.invitation.email} is invited`} onClose=${onClose}>
    <p>Give them this word; it is shown this once. They sign in with that address and type it into their settings, under “Tenants”.</p>
    <p><code class="secret" aria-label="The invitation">${invited.token}</code></p>
    <div class="row row-end"><${Button} onClick=${copy}>Copy it</${Button}><${Button} kind="primary" onClick=${onClose}>I have it</${Button}></div>
  </${Dialog}>`;
}
