// Where a person writes: a draft that is kept, files that are dropped, and the word that sends or stops.

import { agentName, size } from '../format.js';
import { classes, html, useEffect, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { asProblem, changed, client, me } from '../state.js';
import { Button } from '../ui.js';

/** The longest message, in characters. */
const MAX_CHARACTERS = 32_000;
/** From here on it is said how much is left. */
const NEARLY_FULL = 30_000;
const MAX_FILES = 20;

const draftKey = (/** @type {string} */ id) => `symphainy-draft:${id}`;

/** An earlier message that is being changed, and the last number before it. @typedef {{text: string, at: number}} Edited */

/**
 * @param {{talk: import('./talk.js').Talk, agents: any[], asked?: string, edited: Edited | null, onSay: (text: string, options: any) => void,
 *   onSayAnew: (text: string, options: any, at: number) => void, onLeaveEdit: () => void, lastSaid?: string}} props
 */
export function Composer({ talk, agents, asked = '', edited, onSay, onSayAnew, onLeaveEdit, lastSaid }) {
  const key = draftKey(talk.isNew ? 'new' : talk.id);
  const [text, setText] = useState(() => localStorage.getItem(key) ?? '');
  const [agentId, setAgentId] = useState(asked);
  const [uploads, setUploads] = useState(/** @type {any[]} */ ([]));
  const [isOver, setOver] = useState(false);
  const area = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const isOpen = Boolean(talk.open);

  const write = (/** @type {string} */ next) => {
    setText(next);
    if (next) localStorage.setItem(key, next);
    else localStorage.removeItem(key);
  };
  const focus = () => area.current?.focus();

  useEffect(() => {
    if (!edited) return;
    write(edited.text);
    focus();
  }, [edited]);

  useEffect(() => {
    const element = area.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight}px`;
  }, [text]);

  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) focus();
    const toComposer = (/** @type {KeyboardEvent} */ event) => {
      const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(/** @type {Element} */ (event.target).tagName);
      if (event.key === '/' && !isTyping) {
        event.preventDefault();
        focus();
      }
      if (event.key === 'Escape' && talk.open && !document.querySelector('dialog[open], .menu-items')) talk.stop();
    };
    document.addEventListener('keydown', toComposer);
    return () => document.removeEventListener('keydown', toComposer);
  }, [talk]);

  const send = () => {
    const said = text.trim();
    if (!said || said.length > MAX_CHARACTERS) return;
    write('');
    setUploads([]);
    const options = { agentId: agentId || undefined };
    if (edited) onSayAnew(said, options, edited.at);
    else onSay(said, options);
    focus();
  };
  const upload = async (/** @type {FileList | File[]} */ files) => {
    const taken = [...files].slice(0, MAX_FILES).map((file) => ({ key: `${file.name}-${Math.random()}`, file, state: 'uploading', problem: '' }));
    setUploads((before) => [...before, ...taken]);
    const update = (/** @type {string} */ which, /** @type {any} */ more) => setUploads((all) => all.map((one) => (one.key === which ? { ...one, ...more } : one)));
    for (const { key: which, file } of taken) {
      try {
        const artifact = await client.artifacts.upload(file, { sessionId: me.value?.session.session_id });
        update(which, { state: 'ready', id: artifact.artifact_id });
        changed('files');
      } catch (error) {
        update(which, { state: 'failed', problem: asProblem(error).message });
      }
    }
    focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    } else if (event.key === 'ArrowUp' && !text && lastSaid) {
      event.preventDefault();
      write(lastSaid);
    }
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer?.files.length) upload(event.dataTransfer.files);
  };
  const paste = (/** @type {ClipboardEvent} */ event) => {
    if (event.clipboardData?.files.length) {
      event.preventDefault();
      upload(event.clipboardData.files);
    }
  };
  const ready = uploads.filter((one) => one.state === 'ready');

  return html`<form class=${classes('composer', isOver && 'composer-over')} onSubmit=${(/** @type {Event} */ event) => (event.preventDefault(), send())}
    onDragOver=${(/** @type {Event} */ event) => (event.preventDefault(), setOver(true))} onDragLeave=${() => setOver(false)} onDrop=${drop}>
    ${uploads.length > 0 && html`<ul class="uploads" aria-label="Files">
      ${uploads.map((one) => html`<li key=${one.key} class=${`upload upload-${one.state}`}>
        <${Icon} name="file" size=${16} />
        ${one.id ? html`<a href=${`/files/${one.id}`}>${one.file.name}</a>` : html`<span>${one.file.name}</span>`}
        <span class="hint" role="status">${one.state === 'uploading' ? `${size(one.file.size)}, is being uploaded…` : one.state === 'ready' ? 'ready' : one.problem}</span>
        <${Button} kind="quiet" icon="close" label=${`Take ${one.file.name} off the list`} onClick=${() => setUploads((all) => all.filter((other) => other !== one))} />
      </li>`)}
    </ul>`}
    ${ready.length > 0 && !text && html`<div class="chips" role="group" aria-label="You could say">
      ${askAbout(ready[0].file.name).map((said) => html`<button type="button" class="chip" onClick=${() => (setUploads([]), onSay(said, {}))}>${said}</button>`)}
    </div>`}
    ${edited && html`<p class="editing" role="status">Sent, this begins a new conversation with what was said before it. The present one stays.
      <${Button} kind="quiet" icon="close" label="Leave it as it is" onClick=${() => (write(''), onLeaveEdit())} /></p>`}
    <label class="sr-only" for="message">Message</label>
    <textarea id="message" ref=${area} rows="1" placeholder=${isOver ? 'Drop it here' : 'Say what you want…'} value=${text} aria-describedby="composer-hint"
      onInput=${(/** @type {any} */ event) => write(event.target.value)} onKeyDown=${onKeyDown} onPaste=${paste}></textarea>
    <div class="composer-foot">
      <label class="button button-quiet button-icon attach" title="Attach files"><${Icon} name="clip" /><span class="sr-only">Attach files</span>
        <input type="file" class="sr-only" multiple onChange=${(/** @type {any} */ event) => { upload(event.target.files); event.target.value = ''; }} /></label>
      <label class="to-whom"><span class="sr-only">Who is asked</span>
        <select value=${agentId} onChange=${(/** @type {any} */ event) => setAgentId(event.target.value)}>
          <option value="">whoever fits</option>
          ${agents.filter((agent) => agent.kind !== 'specialist').map((agent) => html`<option key=${agent.agent_id} value=${agent.agent_id} selected=${agent.agent_id === agentId}>${agentName(agent.agent_id)}</option>`)}
        </select></label>
      <span class="hint composer-hint" id="composer-hint">${text.length > NEARLY_FULL ? `${MAX_CHARACTERS - text.length} characters are left` : 'Enter sends, Shift and Enter makes a new line'}</span>
      ${isOpen && html`<${Button} kind="stop" icon="stop" onClick=${() => talk.stop()}>Stop</${Button}>`}
      <${Button} kind="send" icon="send" label="Send" type="submit" disabled=${!text.trim() || text.length > MAX_CHARACTERS} />
    </div>
  </form>`;
}

/** What one can ask about a file of this name. @param {string} name */
function askAbout(name) {
  if (/\.(csv|tsv|xlsx?|json|jsonl)$/i.test(name)) return [`how good is ${name}?`, `profile ${name}`];
  return [`what does ${name} say?`, `make a workflow from ${name}`];
}
