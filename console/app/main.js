// The beginning: who is here, which page it is, and drawing it. Pages other than the conversation come when they are asked for.

import { html, render, useEffect, useState } from './html.js';
import { go, route, takeLinks, useRoute } from './router.js';
import { asProblem, client, me, onChanged, useCell } from './state.js';
import { Shell } from './shell.js';
import { ConversationPage } from './conversation/page.js';
import { closeTalk } from './conversation/talk.js';
import { SignInPage } from './pages/sign-in.js';
import { Busy, Empty, PageHead, Trouble } from './ui.js';

/** @type {Record<string, () => Promise<any>>} */
const PAGES = {
  conversations: () => import('./pages/conversations.js'),
  files: () => import('./pages/files.js'),
  file: () => import('./pages/file.js'),
  executions: () => import('./pages/executions.js'),
  execution: () => import('./pages/execution.js'),
  approvals: () => import('./pages/approvals.js'),
  agents: () => import('./pages/agents.js'),
  letter: () => import('./pages/letter.js'),
  settings: () => import('./pages/settings.js'),
  overview: () => import('./pages/overview.js'),
};

/** The conversation of the address that was opened is read while it is found out who is here. */
const opened = route();
const first = opened.page === 'conversation' && opened.id ? client.conversations.get(opened.id, { limit: 60 }) : undefined;
first?.catch(() => {});

function App() {
  const person = useCell(me);
  const present = useRoute();
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const look = () => {
    setProblem(null);
    client.me().then((found) => me.set(found), (error) => {
      const problem = asProblem(error);
      if (problem.status === 401) me.set(null);
      else setProblem(problem);
    });
  };
  useEffect(look, []);
  useEffect(() => onChanged('account', look), []);
  const isConversation = present.page === 'conversation' || present.page === 'start';
  useEffect(() => {
    if (!person || !isConversation) closeTalk();
  }, [person, isConversation]);
  useEffect(() => {
    if (person && present.page === 'sign-in') go(safePath(present.query.get('to')), { replace: true });
    if (person === null && present.page !== 'sign-in' && present.page !== 'letter') {
      const to = location.pathname === '/' ? '' : `?to=${encodeURIComponent(location.pathname)}`;
      go(`/sign-in${to}`, { replace: true });
    }
  }, [person, present.page]);

  if (present.page === 'letter') return html`<${LaterPage} name="letter" id=${present.id} query=${present.query} />`;
  if (problem) return html`<main class="door"><${Trouble} problem=${problem} again=${look} /></main>`;
  if (person === undefined) return html`<main class="door"><${Busy}>Opening…</${Busy}></main>`;
  if (person === null || present.page === 'sign-in') return html`<${SignInPage} onDone=${() => go(safePath(present.query.get('to')), { replace: true })} />`;
  return html`<${Shell}>${isConversation
    ? html`<${ConversationPage} id=${present.id} agent=${present.query.get('agent') ?? ''} first=${present.id === opened.id ? first : undefined} />`
    : html`<${LaterPage} key=${present.page} name=${present.page} id=${present.id} query=${present.query} />`}</${Shell}>`;
}

/** A way within this site, whatever an address says. @param {string | null} path */
function safePath(path) {
  return path && /^\/[^/\\]/.test(path) ? path : '/';
}

/** A page whose code comes when it is asked for. @param {{name: string, id?: string, query: URLSearchParams}} props */
function LaterPage({ name, id, query }) {
  const [Page, setPage] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  useEffect(() => {
    const load = PAGES[name];
    // A newer server has other files: the document is read anew then.
    load?.().then((module) => setPage(() => module.default), (error) => setProblem(asProblem(error)));
  }, [name]);
  if (!PAGES[name]) return html`<div class="page"><${PageHead} title="Nothing here" /><${Empty} title="There is no page at this address."><p><a href="/">To the beginning</a></p></${Empty}></div>`;
  if (problem) return html`<div class="page"><${Trouble} problem=${problem} again=${() => location.reload()} /></div>`;
  if (!Page) return html`<div class="page"><${Busy}>The page is on its way…</${Busy}></div>`;
  return html`<${Page} key=${id} id=${id} query=${query} />`;
}

takeLinks();
const root = document.getElementById('app');
if (root) {
  root.replaceChildren();
  render(html`<${App} />`, root);
}
