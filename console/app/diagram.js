// Drawings of things that follow from each other: workflows and the lineage of artifacts. Nodes lie in layers, from left to
// right or from top to bottom; where a way leads back, it is drawn around.

import { html, useId } from './html.js';

/**
 * @typedef {{id: string, label: string, kind?: string, href?: string, note?: string}} Node
 * @typedef {{from: string, to: string, label?: string}} Edge
 */

const NODE = { width: 168, height: 58, across: 20, along: 48 };
/** Letters that fit into a line of a node, and its lines. */
const LINE = 23;
const MAX_LINES = 3;

/**
 * Where each node lies: in the layer after the last of those that lead to it, and in it near them.
 * @param {Node[]} nodes
 * @param {Edge[]} edges
 */
export function layout(nodes, edges) {
  const known = new Set(nodes.map((node) => node.id));
  const real = edges.filter((edge) => known.has(edge.from) && known.has(edge.to) && edge.from !== edge.to);
  const back = backEdges(nodes, real);
  const forward = real.filter((edge) => !back.has(edge));
  /** @type {Map<string, number>} */
  const layer = new Map(nodes.map((node) => [node.id, 0]));
  for (let round = 0; round < nodes.length; round++) {
    let moved = false;
    for (const { from, to } of forward) {
      const least = (layer.get(from) ?? 0) + 1;
      if ((layer.get(to) ?? 0) < least) {
        layer.set(to, least);
        moved = true;
      }
    }
    if (!moved) break;
  }
  /** @type {string[][]} */
  const layers = [];
  for (const node of nodes) (layers[layer.get(node.id) ?? 0] ??= []).push(node.id);
  const full = Array.from(layers, (ids) => ids ?? []);
  const ways = throughLayers(forward, layer, full);
  untangle(full, ways.flatMap(({ steps }) => steps.slice(1).map((to, index) => ({ from: steps[index], to }))));
  /** @type {Map<string, {layer: number, row: number}>} */
  const places = new Map();
  full.forEach((ids, at) => ids.forEach((id, row) => places.set(id, { layer: at, row: row - (ids.length - 1) / 2 })));
  const backward = [...back].map((edge) => ({ edge, steps: [edge.from, edge.to], isBack: true }));
  return { places, ways: [...ways, ...backward], layers: full.length };
}

/**
 * Where an edge passes layers it gets a place in each, so that it goes around what lies there.
 * @param {Edge[]} edges
 * @param {Map<string, number>} layer
 * @param {string[][]} layers
 */
function throughLayers(edges, layer, layers) {
  return edges.map((edge, number) => {
    const [first, last] = [layer.get(edge.from) ?? 0, layer.get(edge.to) ?? 0];
    const between = Array.from({ length: Math.max(0, last - first - 1) }, (_, index) => `${number} passes ${first + 1 + index}`);
    between.forEach((id, index) => layers[first + 1 + index].push(id));
    return { edge, steps: [edge.from, ...between, edge.to], isBack: false };
  });
}

/** Edges that close a circle. @param {Node[]} nodes @param {Edge[]} edges */
function backEdges(nodes, edges) {
  const out = new Map(nodes.map((node) => [node.id, edges.filter((edge) => edge.from === node.id)]));
  /** @type {Set<Edge>} */
  const back = new Set();
  /** @type {Map<string, 'open' | 'done'>} */
  const seen = new Map();
  const visit = (/** @type {string} */ id) => {
    seen.set(id, 'open');
    for (const edge of out.get(id) ?? []) {
      if (seen.get(edge.to) === 'open') back.add(edge);
      else if (!seen.has(edge.to)) visit(edge.to);
    }
    seen.set(id, 'done');
  };
  nodes.forEach((node) => seen.has(node.id) || visit(node.id));
  return back;
}

/** Orders each layer by the middle of what leads to it. @param {string[][]} layers @param {Edge[]} edges */
function untangle(layers, edges) {
  for (let at = 1; at < layers.length; at++) {
    const rows = new Map(layers.slice(0, at).flatMap((ids) => ids.map((id, row) => [id, row - (ids.length - 1) / 2])));
    const middle = (/** @type {string} */ id) => {
      const from = edges.filter((edge) => edge.to === id).map((edge) => Number(rows.get(edge.from) ?? 0));
      return from.length ? from.reduce((sum, row) => sum + row, 0) / from.length : 0;
    };
    layers[at].sort((a, b) => middle(a) - middle(b));
  }
}

/** @param {{nodes: Node[], edges: Edge[], title: string, present?: string}} props */
export function Diagram({ nodes, edges, title, present }) {
  const arrow = useId();
  const plan = layout(nodes, edges);
  const rows = [...plan.places.values()].map((place) => place.row);
  const least = Math.min(...rows, 0);
  const [stepX, stepY] = [NODE.width + NODE.along, NODE.height + NODE.across];
  const width = plan.layers * stepX - NODE.along + 24;
  const hasBack = plan.ways.some((way) => way.isBack);
  const height = (Math.max(...rows, 0) - least + 1) * stepY - NODE.across + 24 + (hasBack ? 36 : 0);
  const corner = (/** @type {string} */ id) => {
    const place = plan.places.get(id) ?? { layer: 0, row: 0 };
    return { x: 12 + place.layer * stepX, y: 12 + (place.row - least) * stepY };
  };
  return html`<div class="diagram" tabindex="0" role="region" aria-label=${title}>
    <svg width=${width} height=${height} viewBox=${`0 0 ${width} ${height}`} role="group" aria-label=${title}>
      <defs><marker id=${arrow} viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="arrow" d="M0 0L8 4L0 8Z" /></marker></defs>
      ${plan.ways.map((way) => html`<${Way} label=${way.edge.label} isBack=${way.isBack} corners=${way.steps.map(corner)} floor=${height - 10} arrow=${arrow} />`)}
      ${nodes.map((node) => html`<${NodeView} node=${node} at=${corner(node.id)} isPresent=${node.id === present} />`)}
    </svg>
  </div>`;
}

/** @param {any} props */
function Way({ label, isBack, corners, floor, arrow }) {
  const { width, height } = NODE;
  const [from, to] = [corners[0], corners.at(-1)];
  const next = corners[1];
  const middle = (/** @type {{y: number}} */ corner) => corner.y + height / 2;
  if (isBack) {
    const path = `M${from.x + width / 2} ${from.y + height}V${floor}H${to.x + width / 2}V${to.y + height + 2}`;
    return html`<g class="edge"><path d=${path} marker-end=${`url(#${arrow})`} />${label && html`<text x=${(from.x + to.x + width) / 2} y=${floor - 5}>${label}</text>`}</g>`;
  }
  let path = `M${from.x + width} ${middle(from)}`;
  corners.slice(1).forEach((/** @type {any} */ corner, /** @type {number} */ index) => {
    const before = corners[index];
    const [x, y] = [corner.x - (corner === to ? 2 : 0), middle(corner)];
    const bend = NODE.along / 2;
    path += `C${before.x + width + bend} ${middle(before)} ${x - bend} ${y} ${x} ${y}`;
    if (corner !== to) path += `H${corner.x + width}`;
  });
  const at = { x: from.x + width + NODE.along / 2, y: middle(from) + (middle(next) - middle(from)) * 0.5 - 5 };
  return html`<g class="edge"><path d=${path} marker-end=${`url(#${arrow})`} />${label && html`<text x=${at.x} y=${at.y}>${label}</text>`}</g>`;
}

/** @param {{node: Node, at: {x: number, y: number}, isPresent: boolean}} props */
function NodeView({ node, at, isPresent }) {
  const lines = wrap(node.label);
  const { width, height } = NODE;
  const middle = height / 2 - ((lines.length - 1) * 14 + (node.note ? 12 : 0)) / 2;
  const shape = node.kind === 'decision'
    ? html`<path d=${`M0 ${height / 2}L14 0H${width - 14}L${width} ${height / 2}L${width - 14} ${height}H14Z`} />`
    : html`<rect width=${width} height=${height} rx=${node.kind === 'start' || node.kind === 'end' ? height / 2 : 8} />`;
  const inside = html`<title>${node.label}</title>${shape}
    ${lines.map((line, index) => html`<text class="node-label" x=${width / 2} y=${middle + index * 14 + 4}>${line}</text>`)}
    ${node.note && html`<text class="node-note" x=${width / 2} y=${middle + lines.length * 14 + 2}>${node.note}</text>`}`;
  const attributes = { class: `node node-${node.kind ?? 'task'}${isPresent ? ' node-present' : ''}`, transform: `translate(${at.x} ${at.y})` };
  return node.href ? html`<a href=${node.href} ...${attributes}>${inside}</a>` : html`<g ...${attributes}>${inside}</g>`;
}

/** @param {string} text */
function wrap(text) {
  /** @type {string[]} */
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length + 1 > LINE) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  if (lines.length <= MAX_LINES) return lines.map((line) => shorten(line));
  return [...lines.slice(0, MAX_LINES - 1).map((line) => shorten(line)), shorten(`${lines[MAX_LINES - 1]} ${lines[MAX_LINES]}`)];
}

/** @param {string} line */
const shorten = (line) => (line.length > LINE + 2 ? `${line.slice(0, LINE)}…` : line);
