// The turns of a conversation as a list that scrolls. A long one draws only what is in sight; what was drawn once keeps its
// height, and what changes its height above the eye does not move what is being read.

import { html, useCallback, useEffect, useLayoutEffect, useRef, useState } from '../html.js';
import { Icon } from '../icons.js';
import { Busy, Button } from '../ui.js';
import { TurnView } from './turn.js';

/** Up to here everything is drawn, so that the browser's own search finds it. */
const FEW_TURNS = 60;
/** Drawn above and below what is in sight, in pixels. */
const MARGIN = 1_200;
const GUESSED_HEIGHT = 260;
/** How near to the end counts as the end, in pixels. */
const NEAR_END = 64;
/** How near to the beginning earlier messages are asked for. */
const NEAR_BEGINNING = 600;

/** @param {{talk: import('./talk.js').Talk, version: number, actions: any}} props */
export function Timeline({ talk, version, actions }) {
  const { turns } = talk.transcript;
  const frame = useRef(/** @type {HTMLElement | null} */ (null));
  const heights = useRef(/** @type {Map<string, number>} */ (new Map()));
  const isAtEnd = useRef(true);
  const first = useRef(/** @type {string | undefined} */ (undefined));
  const [sight, setSight] = useState({ top: 0, height: 900 });
  const [, setRound] = useState(0);
  const [isAway, setAway] = useState(false);

  const isLong = turns.length > FEW_TURNS;
  const offsets = offsetsOf(turns, heights.current);
  const total = offsets[turns.length];
  const [from, to] = isLong ? range(offsets, sight, isAtEnd.current, total) : [0, turns.length];

  const measured = useCallback((/** @type {string} */ id, /** @type {number} */ height) => {
    const before = heights.current.get(id);
    if (before === height) return;
    heights.current.set(id, height);
    const element = frame.current;
    const place = element?.querySelector(`[data-turn="${CSS.escape(id)}"]`)?.getBoundingClientRect();
    const edge = element?.getBoundingClientRect().top ?? 0;
    // What grows above the eye pushes what is being read down by as much.
    if (element && place && !isAtEnd.current && place.bottom < edge && isLong) element.scrollTop += height - (before ?? GUESSED_HEIGHT);
    if (isAtEnd.current) toEnd();
    else if (isLong) setRound((round) => round + 1);
  }, [isLong]);

  const toEnd = () => {
    const element = frame.current;
    if (element) element.scrollTop = element.scrollHeight;
  };

  useLayoutEffect(() => {
    const element = frame.current;
    const before = first.current;
    first.current = turns[0]?.id;
    if (element && before && before !== first.current) {
      const at = turns.findIndex((turn) => turn.id === before);
      if (at > 0 && !isAtEnd.current) element.scrollTop += isLong ? offsets[at] : addedHeight(element, before);
    }
    if (isAtEnd.current) toEnd();
  }, [version, turns.length]);

  // What was said here is followed from wherever one was reading; what another tab says is not.
  useEffect(() => {
    const last = turns.at(-1);
    if (last && last.id === talk.saidHere) {
      isAtEnd.current = true;
      toEnd();
    }
  }, [turns.at(-1)?.id]);

  useEffect(() => {
    const element = frame.current;
    if (!element) return undefined;
    let isDue = false;
    const look = () => {
      isDue = false;
      const left = element.scrollHeight - element.scrollTop - element.clientHeight;
      isAtEnd.current = left < NEAR_END;
      setAway(left > 2 * NEAR_END);
      setSight({ top: element.scrollTop, height: element.clientHeight });
      if (element.scrollTop < NEAR_BEGINNING) talk.older();
    };
    const scrolled = () => {
      if (isDue) return;
      isDue = true;
      requestAnimationFrame(look);
    };
    element.addEventListener('scroll', scrolled, { passive: true });
    const resized = new ResizeObserver(() => (isAtEnd.current ? toEnd() : scrolled()));
    resized.observe(element);
    return () => {
      element.removeEventListener('scroll', scrolled);
      resized.disconnect();
    };
  }, [talk]);

  return html`<div class="timeline-frame">
    <section class="timeline" ref=${frame} tabindex="0" aria-label="Conversation">
      ${talk.isLoadingOlder && html`<${Busy}>Earlier messages are on their way…</${Busy}>`}
      <div class="turns" role="feed" aria-busy=${String(Boolean(talk.open))}>
        ${isLong && html`<div style=${{ height: `${offsets[from]}px` }}></div>`}
        ${turns.slice(from, to).map((turn, index) => html`<${Placed} key=${turn.id} id=${turn.id} measured=${measured}
          position=${from + index + 1} size=${talk.olderCursor ? -1 : turns.length}>
          <${TurnView} turn=${turn} version=${turn.version} status=${turn.status} talk=${talk} actions=${actions} isLast=${from + index === turns.length - 1} />
        </${Placed}>`)}
        ${isLong && html`<div style=${{ height: `${total - offsets[to]}px` }}></div>`}
      </div>
    </section>
    ${isAway && html`<div class="to-end"><${Button} onClick=${() => { isAtEnd.current = true; toEnd(); }}><${Icon} name="down" />To the end</${Button}></div>`}
  </div>`;
}

/** A turn in its place, whose height is watched. @param {any} props */
function Placed({ id, measured, position, size, children }) {
  const place = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const watch = new ResizeObserver(() => {
      // A turn that is taken out of the page has no height to remember.
      if (element.isConnected && element.offsetHeight > 0) measured(id, element.offsetHeight);
    });
    watch.observe(element);
    return () => watch.disconnect();
  }, [id, measured]);
  return html`<article class="turn" ref=${place} data-turn=${id} aria-posinset=${position} aria-setsize=${size} tabindex="-1" aria-label=${`Message ${position}`}>${children}</article>`;
}

/** Where each turn begins, and where the last one ends. @param {{id: string}[]} turns @param {Map<string, number>} heights */
export function offsetsOf(turns, heights) {
  const offsets = new Array(turns.length + 1);
  offsets[0] = 0;
  turns.forEach((turn, index) => (offsets[index + 1] = offsets[index] + (heights.get(turn.id) ?? GUESSED_HEIGHT)));
  return offsets;
}

/** Which turns are near to what is in sight. @param {number[]} offsets @param {{top: number, height: number}} sight @param {boolean} isAtEnd @param {number} total */
export function range(offsets, sight, isAtEnd, total) {
  const top = (isAtEnd ? Math.max(0, total - sight.height) : sight.top) - MARGIN;
  const bottom = top + sight.height + 2 * MARGIN;
  const last = offsets.length - 1;
  const from = Math.min(Math.max(0, firstAfter(offsets, top) - 1), Math.max(0, last - 1));
  return [from, isAtEnd ? last : Math.min(last, firstAfter(offsets, bottom))];
}

/** @param {number[]} offsets @param {number} at */
function firstAfter(offsets, at) {
  let [low, high] = [0, offsets.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle] > at) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** How much was put before a turn. @param {HTMLElement} element @param {string} id */
function addedHeight(element, id) {
  const place = element.querySelector(`[data-turn="${CSS.escape(id)}"]`);
  const list = element.querySelector('.turns');
  return place && list ? place.getBoundingClientRect().top - list.getBoundingClientRect().top : 0;
}
