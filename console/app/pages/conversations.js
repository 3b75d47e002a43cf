// All conversations: found by a word, renamed, deleted.

import { agentName, voice } from '../format.js';
import { html, useEffect, useState } from '../html.js';
import { changed, client, notify, notifyProblem, useLoaded } from '../state.js';
import { Ask, Busy, Confirm, Empty, Field, Menu, PageHead, Time, Trouble } from '../ui.js';

const PAGE = 50;
/** How long a search waits for the next letter. */
const TYPING_MS = 200;

export default function Conversations() {
  const [typed, setTyped] = useState('');
  const [text, setText] = useState('');
  const [more, setMore] = useState(/** @type {any[]} */ ([]));
  const [cursor, setCursor] = useState(/** @type {string | null} */ (null));
  const [asks, setAsks] = useState(/** @type {{kind: string, one: any} | null} */ (null));
  useEffect(() => {
    const timer = setTimeout(() => setText(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const { value, problem, isLoading, again } = useLoaded(async () => {
    const page = await client.conversations.list({ limit: PAGE, search: text });
    setMore([]);
    setCursor(page.next_cursor ?? null);
    return page.conversations;
  }, [text], { topic: 'conversations' });
  const loadMore = async () => {
    try {
      const page = await client.conversations.list({ limit: PAGE, search: text, cursor: cursor ?? undefined });
      setMore([...more, ...page.conversations]);
      setCursor(page.next_cursor ?? null);
    } catch (error) {
      notifyProblem(error);
    }
  };
  const act = async (/** @type {Promise<any>} */ doing, /** @type {string} */ said) => {
    setAsks(null);
    try {
      await doing;
      notify(said);
      changed('conversations');
    } catch (error) {
      notifyProblem(error);
    }
  };
  const all = [...(value ?? []), ...more];
  return html`<div class="page">
    <${PageHead} title="Conversations"><a class="button button-primary" href="/">New conversation</a></${PageHead}>
    <div class="toolbar"><div class="field-wide"><${Field} label="Find by a word" name="search" type="search" value=${typed}
      onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} placeholder="in titles and in what was said" /></div></div>
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${isLoading && !value && html`<${Busy}>The conversations are being read…</${Busy}>`}
    ${value && all.length === 0 && (text
      ? html`<${Empty} title="Nothing with that word."><p>Another word may find it; the beginning of a word is enough.</p></${Empty}>`
      : html`<${Empty} title="Nobody has said anything yet."><p>Begin with what you want to have done.</p><div class="row"><a class="button button-primary" href="/">New conversation</a></div></${Empty}>`)}
    ${all.length > 0 && html`<ul class="list" aria-label="Conversations">${all.map((one) => html`<li key=${one.conversation_id} class="list-item">
      <span class=${`voice-dot voice-${voice(one.agent_id)}`} aria-hidden="true"></span>
      <div class="grow"><a class="list-title" href=${`/conversations/${one.conversation_id}`}>${one.title || 'Untitled'}</a>
        <p class="list-note">${agentName(one.agent_id)} answers</p></div>
      <span class="list-side"><${Time} at=${one.updated_at} /></span>
      <${Menu} label=${`What can be done with “${one.title}”`} items=${[
        { name: 'Rename', icon: 'edit', onClick: () => setAsks({ kind: 'rename', one }) },
        { name: 'Delete', icon: 'trash', isDanger: true, onClick: () => setAsks({ kind: 'delete', one }) },
      ]} />
    </li>`)}</ul>`}
    ${cursor && html`<div class="more"><button type="button" class="button" onClick=${loadMore}>Show more</button></div>`}
    ${asks?.kind === 'rename' && html`<${Ask} title="Rename the conversation" label="Its name" value=${asks.one.title} verb="Rename" maxlength="200"
      onClose=${() => setAsks(null)} onDone=${(/** @type {string} */ title) => act(client.conversations.rename(asks.one.conversation_id, title), 'It has a new name.')} />`}
    ${asks?.kind === 'delete' && html`<${Confirm} title="Delete the conversation?" verb="Delete" onClose=${() => setAsks(null)}
      onConfirm=${() => act(client.conversations.delete(asks.one.conversation_id), 'The conversation is deleted.')}>
      <p>“${asks.one.title}”: what was said goes, and cannot be brought back. What was done and made stays.</p></${Confirm}>`}
  </div>`;
}
