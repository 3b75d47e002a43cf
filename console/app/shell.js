// What stands around every page: the mark, the ways to the pages, the newest conversations, and short notices.

import { agentName, count, voice, when } from './format.js';
import { classes, html, useEffect, useState } from './html.js';
import { Fermata, Icon, Mark } from './icons.js';
import { go, useRoute } from './router.js';
import { changed, client, loadRecent, loadWaiting, me, notices, notifyProblem, onChanged, recent, useCell, waiting } from './state.js';
import { refreshLists } from './conversation/talk.js';
import { Button } from './ui.js';

const PLACES = [
  { path: '/conversations', name: 'Conversations', icon: 'conversation', pages: ['conversations'] },
  { path: '/files', name: 'Files', icon: 'file', pages: ['files', 'file'] },
  { path: '/executions', name: 'Executions', icon: 'execution', pages: ['executions', 'execution'] },
  { path: '/approvals', name: 'Approvals', icon: 'fermata', pages: ['approvals'] },
  { path: '/agents', name: 'Agents', icon: 'agent', pages: ['agents'] },
  { path: '/overview', name: 'Overview', icon: 'overview', pages: ['overview'] },
  { path: '/settings', name: 'Settings', icon: 'settings', pages: ['settings'] },
];

/** @param {{children: any}} props */
export function Shell({ children }) {
  const present = useRoute();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const looks = [onChanged('conversations', refreshLists), onChanged('approvals', refreshLists)];
    loadRecent().catch(notifyProblem);
    loadWaiting().catch(() => {});
    return () => looks.forEach((stop) => stop());
  }, []);
  useEffect(() => setOpen(false), [present.page, present.id]);
  return html`<a class="skip" href="#main">To the content</a>
    <div class=${classes('shell', isOpen && 'shell-open')}>
      <header class="top-bar">
        <${Button} kind="quiet" icon="menu" label="Menu" aria-expanded=${String(isOpen)} aria-controls="side" onClick=${() => setOpen(!isOpen)} />
        <a class="brand" href="/"><${Mark} />Symphainy</a>
        <a class="button button-quiet button-icon" href="/" aria-label="New conversation" title="New conversation"><${Icon} name="plus" /></a>
      </header>
      <${Side} present=${present} close=${() => setOpen(false)} />
      ${isOpen && html`<div class="veil" onClick=${() => setOpen(false)}></div>`}
      <main id="main" class="main" tabindex="-1">${children}</main>
    </div>
    <${Notices} />`;
}

/** @param {any} props */
function Side({ present, close }) {
  const person = useCell(me);
  const held = useCell(waiting);
  const signOut = async () => {
    try {
      await client.auth.logout();
    } catch (error) {
      return notifyProblem(error);
    }
    me.set(null);
    changed('account');
    go('/sign-in');
  };
  return html`<div class="side" id="side" onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === 'Escape' && close()}>
    <a class="brand" href="/"><${Mark} />Symphainy</a>
    <a class="button button-primary side-new" href="/" aria-current=${present.page === 'start' ? 'page' : undefined}><${Icon} name="plus" />New conversation</a>
    <nav aria-label="Pages">
      <ul class="places">${PLACES.map((place) => html`<li key=${place.path}>
        <a href=${place.path} aria-current=${place.pages.includes(present.page) ? 'page' : undefined}>
          ${place.icon === 'fermata' ? html`<${Fermata} size=${18} />` : html`<${Icon} name=${place.icon} />`}${place.name}
          ${place.path === '/approvals' && held > 0 && html`<span class="held"><span aria-hidden="true">${held}</span><span class="sr-only">, ${count(held, 'waits', 'wait')} for you</span></span>`}
        </a></li>`)}</ul>
    </nav>
    <${Recent} present=${present} />
    <div class="account">
      <a href="/settings" class="account-who"><b>${person.user.name}</b><span>${person.user.email}</span></a>
      <${Button} kind="quiet" icon="leave" label="Sign out" onClick=${signOut} />
    </div>
  </div>`;
}

/** @param {any} props */
function Recent({ present }) {
  const list = useCell(recent);
  return html`<nav class="recent" aria-label="Newest conversations" tabindex="-1">
    ${list && list.length > 0 && html`<h2>Lately</h2>`}
    <ul>${(list ?? []).map((one) => html`<li key=${one.conversation_id}>
      <a href=${`/conversations/${one.conversation_id}`} aria-current=${present.page === 'conversation' && present.id === one.conversation_id ? 'page' : undefined}
        title=${`${agentName(one.agent_id)}, ${when(one.updated_at)}`}>
        <span class=${`voice-dot voice-${voice(one.agent_id)}`} aria-hidden="true"></span><span class="recent-title">${one.title || 'Untitled'}</span></a>
    </li>`)}</ul>
  </nav>`;
}

function Notices() {
  const list = useCell(notices);
  return html`<div class="notices" role="status" aria-live="polite">${list.map((one) => html`<p key=${one.id} class=${`notice notice-${one.tone}`}>${one.text}</p>`)}</div>`;
}
