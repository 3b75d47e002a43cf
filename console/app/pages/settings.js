// Who you are here, and where you are signed in.

import { inFull } from '../format.js';
import { html, useState } from '../html.js';
import { go } from '../router.js';
import { changed, client, me, notifyProblem, useCell } from '../state.js';
import { Button, Confirm, PageHead, Time } from '../ui.js';
import { Keys } from './settings/keys.js';
import { Members } from './settings/members.js';
import { Password } from './settings/password.js';
import { SecondFactor } from './settings/second-factor.js';
import { SignIns } from './settings/sign-ins.js';
import { Tenants } from './settings/tenants.js';

export default function Settings() {
  const person = useCell(me);
  const [asks, setAsks] = useState(false);
  const signOut = async () => {
    try {
      await client.auth.logout({ all: true });
    } catch (error) {
      return notifyProblem(error);
    }
    me.set(null);
    changed('account');
    go('/sign-in');
  };
  const { user, tenant, session, roles, permissions } = person;
  return html`<div class="page">
    <${PageHead} title="Settings" />
    <section class="card"><h2>You</h2><dl class="facts">
      <dt>Name</dt><dd>${user.name}</dd><dt>E-mail</dt><dd>${user.email}</dd><dt>Tenant</dt><dd>${tenant.name}</dd>
      <dt>Roles</dt><dd>${roles.join(', ')}</dd>
      <dt>May</dt><dd class="tags">${permissions.map((/** @type {string} */ one) => html`<span class="tag">${one}</span>`)}</dd>
    </dl></section>
    <section class="card"><h2>This sign-in</h2><dl class="facts">
      <dt>Since</dt><dd title=${inFull(session.created_at)}><${Time} at=${session.created_at} /></dd>
      <dt>Ends at the latest</dt><dd><${Time} at=${session.expires_at} /></dd>
    </dl><div class="row row-end"><${Button} onClick=${() => setAsks(true)}>Sign out everywhere</${Button}></div></section>
    <${SignIns} />
    <${Password} />
    <${SecondFactor} />
    <${Tenants} />
    <${Members} />
    <${Keys} />
    ${asks && html`<${Confirm} title="Sign out everywhere?" verb="Sign out" onConfirm=${signOut} onClose=${() => setAsks(false)}>
      <p>Every browser and program that is signed in as you is signed out, this one too.</p></${Confirm}>`}
  </div>`;
}
