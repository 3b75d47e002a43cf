// The conversation page: heading, turns, and where one writes. The same page begins a conversation and goes on with one.

import { html, useCallback, useEffect, useMemo, useState } from '../html.js';
import { go } from '../router.js';
import { changed, client, me, notify, notifyProblem, onChanged, recent, useCell } from '../state.js';
import { Ask, Busy, Confirm, Menu, Trouble, useTitle } from '../ui.js';
import { newId } from '../../../clients/typescript/src/index.js';
import { Composer } from './composer.js';
import { openTalk } from './talk.js';
import { Timeline } from './timeline.js';

/** The id of the conversation that is not begun yet. */
let nextId = newId('conv');
/** What is to be said in a conversation as soon as it is open. @type {{id: string, text: string, options: any} | null} */
let toSay = null;

/** @param {{id?: string, agent?: string, first?: Promise<any>}} props */
export function ConversationPage({ id, agent, first }) {
  const isNew = !id;
  const talkId = id ?? nextId;
  const talk = useMemo(() => openTalk(talkId, { isNew, first }), [talkId]);
  const version = useCell(talk.version);
  const problem = useCell(talk.problem);
  const [agents, setAgents] = useState(/** @type {any[]} */ ([]));
  const [edited, setEdited] = useState(/** @type {import('./composer.js').Edited | null} */ (null));
  useEffect(() => void client.agents.list().then(setAgents, () => {}), []);

  const say = useCallback((/** @type {string} */ text, /** @type {any} */ options = {}) => {
    const isFirst = talk.isNew;
    try {
      talk.say(text, options);
    } catch (error) {
      return notifyProblem(error);
    }
    if (isFirst) {
      nextId = newId('conv');
      go(`/conversations/${talk.id}`, { replace: true });
    }
  }, [talk]);
  useEffect(() => {
    if (toSay?.id !== talk.id || talk.isLoading) return;
    const { text, options } = toSay;
    toSay = null;
    say(text, options);
  }, [talk, version]);
  const sayAnew = useCallback(async (/** @type {string} */ text, /** @type {any} */ options, /** @type {number} */ at) => {
    setEdited(null);
    try {
      const id = at > 0 ? (await client.conversations.fork(talk.id, at)).conversation_id : nextId;
      toSay = { id, text, options };
      changed('conversations');
      go(at > 0 ? `/conversations/${id}` : '/');
    } catch (error) {
      notifyProblem(error);
    }
  }, [talk]);
  const actions = useMemo(() => ({
    say,
    edit: (/** @type {any} */ turn) => {
      const isFirst = turn === talk.transcript.turns[0] && !talk.olderCursor;
      setEdited({ text: turn.text, at: isFirst ? 0 : (turn.seq ?? 1) - 1 });
    },
  }), [say]);

  useTitle(talk.title || 'New conversation');
  if (problem) return html`<div class="page"><${Trouble} problem=${problem} /><p><a href="/conversations">All conversations</a></p></div>`;
  const { turns } = talk.transcript;
  return html`<div class="conversation">
    <${Head} talk=${talk} />
    ${talk.isLoading ? html`<div class="timeline-frame"><${Busy}>The conversation is being read…</${Busy}></div>`
      : turns.length === 0 ? html`<${Welcome} say=${say} agents=${agents} />`
        : html`<${Timeline} talk=${talk} version=${version} actions=${actions} />`}
    <${Connection} talk=${talk} />
    <${Composer} key=${talk.id} talk=${talk} agents=${agents} asked=${agent} edited=${edited} onSay=${say} onSayAnew=${sayAnew} onLeaveEdit=${() => setEdited(null)} lastSaid=${turns.at(-1)?.text} />
    <${Spoken} talk=${talk} />
  </div>`;
}

/** @param {{talk: import('./talk.js').Talk}} props */
function Head({ talk }) {
  const known = useCell(recent)?.find((one) => one.conversation_id === talk.id);
  const [asks, setAsks] = useState('');
  const title = known?.title || talk.title;
  if (talk.isNew) return html`<h1 class="sr-only" tabindex="-1">New conversation</h1>`;
  const rename = async (/** @type {string} */ text) => {
    setAsks('');
    try {
      const renamed = await client.conversations.rename(talk.id, text);
      talk.title = renamed.title;
      changed('conversations');
    } catch (error) {
      notifyProblem(error);
    }
  };
  const branch = async () => {
    try {
      const forked = await client.conversations.fork(talk.id, talk.transcript.cursor);
      changed('conversations');
      notify('This is a new conversation, with what was said before. The other one stays as it was.');
      go(`/conversations/${forked.conversation_id}`);
    } catch (error) {
      notifyProblem(error);
    }
  };
  const remove = async () => {
    setAsks('');
    try {
      await client.conversations.delete(talk.id);
      changed('conversations');
      notify('The conversation is deleted.');
      go('/conversations');
    } catch (error) {
      notifyProblem(error);
    }
  };
  return html`<header class="conversation-head">
    <h1 tabindex="-1">${title || 'Conversation'}</h1>
    <${Menu} label="What can be done with this conversation" items=${[
      { name: 'Rename', icon: 'edit', onClick: () => setAsks('rename') },
      { name: 'Go on in a new one', icon: 'fork', onClick: branch },
      { name: 'Delete', icon: 'trash', isDanger: true, onClick: () => setAsks('delete') },
    ]} />
    ${asks === 'rename' && html`<${Ask} title="Rename the conversation" label="Its name" value=${title} verb="Rename" maxlength="200" onDone=${rename} onClose=${() => setAsks('')} />`}
    ${asks === 'delete' && html`<${Confirm} title="Delete the conversation?" verb="Delete" onConfirm=${remove} onClose=${() => setAsks('')}>
      <p>What was said goes, and cannot be brought back. What was done and made stays.</p></${Confirm}>`}
  </header>`;
}

/** How the connection is, where it is not as it should be. @param {{talk: import('./talk.js').Talk}} props */
function Connection({ talk }) {
  const status = useCell(talk.status);
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (status.state === 'open' || status.state === 'closed') return undefined;
    // A connection that is made again at once is not worth a word.
    const timer = setTimeout(() => setLate(true), 600);
    return () => clearTimeout(timer);
  }, [status.state === 'open' || status.state === 'closed']);
  const said = !isLate ? '' : !navigator.onLine ? 'You are offline. What you write is kept, and sent when the network is back.'
    : status.state === 'waiting' ? 'The connection is lost. It is made again; nothing of the conversation gets lost.' : 'Connecting…';
  return html`<div class="connection" role="status">${said && html`<p><span class="connection-dot" aria-hidden="true"></span>${said}
    ${status.state === 'waiting' && html`<button type="button" class="link" onClick=${() => talk.socket?.connect()}>Try now</button>`}</p>`}</div>`;
}

/** What screen readers are told of a turn: its beginning and its end, and not its words one by one. @param {{talk: import('./talk.js').Talk}} props */
function Spoken({ talk }) {
  return html`<p class="sr-only" role="status" aria-live="polite">${useCell(talk.spoken)}</p>`;
}

const GREETINGS = [[5, 'Good night'], [11, 'Good morning'], [17, 'Good afternoon'], [24, 'Good evening']];

/** @param {{say: (text: string) => void, agents: any[]}} props */
function Welcome({ say, agents }) {
  const hour = new Date().getHours();
  const greeting = GREETINGS.find(([until]) => hour < Number(until))?.[1];
  const name = useCell(me)?.user.name.split(' ')[0];
  const [files, setFiles] = useState(/** @type {any[] | null} */ (null));
  useEffect(() => {
    const look = () => void client.artifacts.list({ artifact_type: 'file', limit: 3 }).then((page) => setFiles(page.artifacts), () => {});
    look();
    return onChanged('files', look);
  }, []);
  const newest = files?.[0]?.semantic_descriptor.title;
  const ideas = newest ? [`how good is ${newest}?`, 'what can I do here?', 'sum up what we have'] : ['what can I do here?', 'which files are there?'];
  return html`<div class="timeline-frame welcome">
    <div class="welcome-inner">
      <p class="welcome-hello">${greeting}${name ? `, ${name}` : ''}.</p>
      <p class="welcome-lead">Say what you want in your own words. The guide listens first and hands over to whoever's work it is.</p>
      <ul class="voices">${agents.filter((agent) => agent.kind === 'liaison').map((agent) => html`<li key=${agent.agent_id} class=${`voice-${agent.realm}`}>
        <span class="voice-dot" aria-hidden="true"></span><b>${agent.realm}</b><span>${agent.description}</span></li>`)}</ul>
      ${files && files.length === 0 && html`<p class="hint">Drop a file anywhere below: a table, a procedure, a document.</p>`}
      <div class="chips" role="group" aria-label="You could say">${ideas.map((text) => html`<button type="button" class="chip" onClick=${() => say(text)}>${text}</button>`)}</div>
    </div>
  </div>`;
}
