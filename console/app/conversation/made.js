// What a turn made, below its answer: a picture where there is one to see, and the way to the whole of it.

import { artifactKind, voice } from '../format.js';
import { html, useEffect, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { client } from '../state.js';
import { ArtifactView, isWorthShowing } from '../artifacts/view.js';

/** Read once; an artifact of this kind does not change but by being deleted. @type {Map<string, Promise<any>>} */
const read = new Map();
const MAX_KEPT = 200;

/** @param {string} id */
function readArtifact(id) {
  const known = read.get(id);
  if (known) return known;
  if (read.size >= MAX_KEPT) read.clear();
  const reading = client.artifacts.get(id);
  read.set(id, reading);
  reading.catch(() => read.delete(id));
  return reading;
}

/** @param {{described: any[], agentId?: string}} props */
export function Made({ described, agentId }) {
  return html`<div class=${`made voice-${voice(agentId)}`}>${described.map((one) => html`<${MadeOne} key=${one.artifact_id} described=${one} />`)}</div>`;
}

/** @param {{described: any}} props */
function MadeOne({ described }) {
  const [artifact, setArtifact] = useState(/** @type {any} */ (null));
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    if (described.lifecycle_state === 'deleted') return undefined;
    let isGone = false;
    // The margin counts from the frame that scrolls; seen from the window, what is below the frame's edge is not near but hidden.
    const root = place.current?.closest('.timeline') ?? null;
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      seen.disconnect();
      readArtifact(described.artifact_id).then((found) => !isGone && setArtifact(found), () => {});
    }, { root, rootMargin: '400px' });
    if (place.current) seen.observe(place.current);
    return () => {
      isGone = true;
      seen.disconnect();
    };
  }, [described.artifact_id]);
  const title = described.semantic_descriptor?.title ?? described.artifact_id;
  const isShown = artifact && isWorthShowing(artifact);
  return html`<div class="made-one" ref=${place}>
    <a class="made-head" href=${`/files/${described.artifact_id}`}>
      <${Icon} name="file" size=${16} /><span class="made-title">${title}</span>
      <span class="made-kind">${artifactKind(described.artifact_type)}${described.lifecycle_state === 'deleted' ? ', deleted' : ''}</span>
      <${Icon} name="right" size=${16} />
    </a>
    ${isShown && html`<div class="made-body"><${ArtifactView} artifact=${artifact} isBrief /></div>`}
  </div>`;
}
