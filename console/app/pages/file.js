// One artifact: what it says, where it comes from and what was made of it.

import { ArtifactView } from '../artifacts/view.js';
import { Diagram } from '../diagram.js';
import { artifactKind, size, words } from '../format.js';
import { html } from '../html.js';
import { Icon } from '../icons.js';
import { Markdown } from '../markdown.js';
import { client, useLoaded } from '../state.js';
import { Badge, Busy, PageHead, Time, Trouble } from '../ui.js';

/** The most artifacts that a lineage is looked for in, and the most text that is shown of a file. */
const MAX_KIN = 200;
const MAX_SHOWN_BYTES = 100_000;
const SHOWN = /^(text\/|application\/(json|xml|x-ndjson))/;

/** @param {{id: string}} props */
export default function File({ id }) {
  const { value: artifact, problem, again } = useLoaded(() => client.artifacts.get(id), [id], { topic: 'files' });
  if (problem) return html`<div class="page"><${Trouble} problem=${problem} again=${again} /></div>`;
  if (!artifact) return html`<div class="page"><${Busy}>It is being read…</${Busy}></div>`;
  const described = artifact.semantic_descriptor;
  const hasContent = artifact.lifecycle_state !== 'deleted' && described.size_bytes !== undefined;
  const renderings = Object.keys(artifact.renderings);
  return html`<div class="page">
    <p class="crumbs"><a href="/files">Files</a></p>
    <${PageHead} title=${described.title ?? id} lead=${artifactKind(artifact.artifact_type)}>
      <${Badge} status=${artifact.lifecycle_state} />
      ${hasContent && html`<a class="button" href=${client.artifacts.contentUrl(id)} download><${Icon} name="download" />Download</a>`}
      ${renderings.filter((name) => name !== 'markdown').map((name) => html`<${Rendering} artifact=${artifact} name=${name} />`)}
    </${PageHead}>
    <${ArtifactView} artifact=${artifact} />
    ${artifact.artifact_type === 'file' && hasContent && html`<${FileContent} artifact=${artifact} />`}
    <${Lineage} artifact=${artifact} />
    <section class="section"><h2>Where it comes from</h2><dl class="facts card">
      <dt>Made by</dt><dd>${words(artifact.produced_by.intent_type)}</dd>
      <dt>Execution</dt><dd><a href=${`/executions/${artifact.produced_by.execution_id}`}>${artifact.produced_by.execution_id}</a></dd>
      <dt>Made</dt><dd><${Time} at=${artifact.created_at} /></dd>
      <dt>Changed</dt><dd><${Time} at=${artifact.updated_at} /></dd>
      ${described.media_type && html`<dt>Media type</dt><dd>${described.media_type}</dd>`}
      ${described.size_bytes !== undefined && html`<dt>Size</dt><dd>${size(described.size_bytes)}</dd>`}
      <dt>Id</dt><dd><code>${artifact.artifact_id}</code></dd>
    </dl></section>
  </div>`;
}

/** Saves a rendering, such as BPMN for another program. @param {{artifact: any, name: string}} props */
function Rendering({ artifact, name }) {
  const save = () => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([artifact.renderings[name]], { type: 'text/plain' }));
    link.download = `${artifact.semantic_descriptor.title ?? artifact.artifact_id}.${name}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
  };
  return html`<button type="button" class="button" onClick=${save}><${Icon} name="download" />${name === 'bpmn' ? 'BPMN' : words(name)}</button>`;
}

/** The beginning of a file that is text. @param {{artifact: any}} props */
function FileContent({ artifact }) {
  const { media_type: type = '', size_bytes: bytes = 0, title = '' } = artifact.semantic_descriptor;
  const isShown = (SHOWN.test(type) || /\.(md|txt|csv|json|xml)$/i.test(title)) && bytes <= MAX_SHOWN_BYTES;
  const { value: text } = useLoaded(async () => (isShown ? (await client.artifacts.content(artifact.artifact_id)).text() : ''), [artifact.artifact_id]);
  if (!isShown) return html`<p class="hint">It is shown where it is a small text; download it to see it.</p>`;
  if (text === undefined) return html`<${Busy}>The file is on its way…</${Busy}>`;
  return html`<section class="section"><h2>The file</h2>${/\.(md|markdown)$/i.test(title) ? html`<div class="card"><${Markdown} text=${text} /></div>` : html`<pre tabindex="0"><code>${text}</code></pre>`}</section>`;
}

/** What it was made of and what was made of it, as far as the newest artifacts know. @param {{artifact: any}} props */
function Lineage({ artifact }) {
  const { value: all } = useLoaded(async () => (await client.artifacts.list({ limit: MAX_KIN })).artifacts, [artifact.artifact_id]);
  if (!all) return null;
  const known = new Map([...all, artifact].map((one) => [one.artifact_id, one]));
  const kin = kinOf(artifact, [...known.values()]);
  if (kin.size < 2) return null;
  const nodes = [...kin].map((id) => {
    const one = known.get(id);
    return { id, label: one?.semantic_descriptor.title ?? id, note: one ? artifactKind(one.artifact_type) : 'not in sight', href: `/files/${id}` };
  });
  const edges = [...kin].flatMap((id) => (known.get(id)?.parent_artifacts ?? []).map((/** @type {string} */ from) => ({ from, to: id })));
  return html`<section class="section"><h2>Lineage</h2><${Diagram} nodes=${nodes.reverse()} edges=${direct(edges)} title="What it was made of, and what was made of it" present=${artifact.artifact_id} /></section>`;
}

/** Everything before and after it. @param {any} artifact @param {any[]} all */
export function kinOf(artifact, all) {
  const kin = new Set([artifact.artifact_id]);
  const parents = new Map(all.map((one) => [one.artifact_id, one.parent_artifacts]));
  const up = [artifact.artifact_id];
  while (up.length > 0) {
    for (const parent of parents.get(up.pop()) ?? []) {
      if (kin.has(parent)) continue;
      kin.add(parent);
      up.push(parent);
    }
  }
  const down = [artifact.artifact_id];
  while (down.length > 0) {
    const from = down.pop();
    for (const one of all) {
      if (!one.parent_artifacts.includes(from) || kin.has(one.artifact_id)) continue;
      kin.add(one.artifact_id);
      down.push(one.artifact_id);
    }
  }
  return kin;
}

/** Without the ways that a longer way says already. @param {{from: string, to: string}[]} edges */
export function direct(edges) {
  const next = (/** @type {string} */ id) => edges.filter((edge) => edge.from === id).map((edge) => edge.to);
  /** @type {(from: string, to: string, seen: Set<string>) => boolean} */
  const reaches = (/** @type {string} */ from, /** @type {string} */ to, /** @type {Set<string>} */ seen) => {
    if (from === to) return true;
    if (seen.has(from)) return false;
    seen.add(from);
    return next(from).some((id) => reaches(id, to, seen));
  };
  return edges.filter(({ from, to }) => !next(from).some((id) => id !== to && reaches(id, to, new Set([from]))));
}
