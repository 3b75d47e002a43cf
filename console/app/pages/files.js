// Files and what was made of them: found by kind and state, uploaded, opened.

import { artifactKind, size } from '../format.js';
import { html, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { changed, client, me, notify, notifyProblem, useLoaded } from '../state.js';
import { Badge, Busy, Button, Empty, PageHead, Time, Trouble } from '../ui.js';

const PAGE = 50;
const KINDS = ['file', 'parsed_file', 'data_quality', 'profile', 'query_result', 'workflow', 'sop', 'synthesis', 'roadmap'];

export default function Files() {
  const [kind, setKind] = useState('');
  const [state, setState] = useState('');
  const [offset, setOffset] = useState(0);
  const [isUploading, setUploading] = useState('');
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  const { value, problem, isLoading, again } = useLoaded(
    () => client.artifacts.list({ artifact_type: kind || undefined, lifecycle_state: state || undefined, limit: PAGE, offset }),
    [kind, state, offset], { topic: 'files' });
  const upload = async (/** @type {Iterable<File>} */ files) => {
    for (const file of files) {
      setUploading(`${file.name} is being uploaded…`);
      try {
        await client.artifacts.upload(file, { sessionId: me.value?.session.session_id });
        notify(`${file.name} is kept.`);
      } catch (error) {
        notifyProblem(error);
      }
    }
    setUploading('');
    changed('files');
  };
  const drop = (/** @type {DragEvent} */ event) => {
    event.preventDefault();
    upload([...(event.dataTransfer?.files ?? [])]);
  };
  const choose = (/** @type {(text: string) => void} */ set) => (/** @type {any} */ event) => {
    set(event.target.value);
    setOffset(0);
  };
  const items = value?.artifacts ?? [];
  return html`<div class="page" onDragOver=${(/** @type {Event} */ event) => event.preventDefault()} onDrop=${drop}>
    <${PageHead} title="Files" lead="What you brought along, and what was made of it.">
      <${Button} kind="primary" icon="plus" onClick=${() => input.current?.click()}>Upload</${Button}>
      <input ref=${input} type="file" class="sr-only" multiple tabindex="-1" aria-label="Upload files"
        onChange=${(/** @type {any} */ event) => { upload([...event.target.files]); event.target.value = ''; }} />
    </${PageHead}>
    <div class="toolbar">
      <label class="field"><span class="hint">Kind</span><select value=${kind} onChange=${choose(setKind)}>
        <option value="">everything</option>${KINDS.map((one) => html`<option value=${one}>${artifactKind(one)}</option>`)}</select></label>
      <label class="field"><span class="hint">State</span><select value=${state} onChange=${choose(setState)}>
        <option value="">all but deleted</option><option value="ready">ready</option><option value="draft">draft</option><option value="archived">archived</option><option value="deleted">deleted</option></select></label>
    </div>
    ${isUploading && html`<${Busy}>${isUploading}</${Busy}>`}
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${isLoading && !value && html`<${Busy}>The files are being read…</${Busy}>`}
    ${value && items.length === 0 && html`<${Empty} title=${kind || state ? 'Nothing of that kind.' : 'There are no files yet.'}>
      <p>Drop a table, a procedure or a document here, and ask about it in a conversation.</p></${Empty}>`}
    ${items.length > 0 && html`<ul class="list" aria-label="Files">${items.map((one) => html`<li key=${one.artifact_id} class="list-item">
      <${Icon} name="file" />
      <div class="grow"><a class="list-title" href=${`/files/${one.artifact_id}`}>${one.semantic_descriptor.title ?? one.artifact_id}</a>
        <p class="list-note">${artifactKind(one.artifact_type)}${one.semantic_descriptor.size_bytes ? `, ${size(one.semantic_descriptor.size_bytes)}` : ''}</p></div>
      ${one.lifecycle_state !== 'ready' && html`<${Badge} status=${one.lifecycle_state} />`}
      <span class="list-side"><${Time} at=${one.created_at} /></span>
    </li>`)}</ul>`}
    ${value && value.total > PAGE && html`<div class="more row">
      <${Button} disabled=${offset === 0} onClick=${() => setOffset(Math.max(0, offset - PAGE))}>Newer</${Button}>
      <span class="hint">${offset + 1} to ${Math.min(value.total, offset + PAGE)} of ${value.total}</span>
      <${Button} disabled=${offset + PAGE >= value.total} onClick=${() => setOffset(offset + PAGE)}>Older</${Button}></div>`}
  </div>`;
}
