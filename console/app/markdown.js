// Markdown as agents write it, made into elements and never into markup: what is not understood here stays the text that it
// is. There is no way from a text to HTML, and links go to http, https and mailto alone.

import { html, memo } from './html.js';

/** How deep quotes and lists may lie in each other; what lies deeper is shown as text. */
const MAX_DEPTH = 8;

/** @typedef {{kind: string, source: string, [more: string]: any}} Block */

/** A whole text. Blocks that have not changed are not rendered again, so that only the end of a streaming answer moves. */
export const Markdown = memo((/** @type {{text: string}} */ { text }) => {
  return html`<div class="prose">${blocks(text).map((block, index) => html`<${BlockView} key=${index} source=${block.source} />`)}</div>`;
});

const BlockView = memo((/** @type {{source: string}} */ { source }) => blocks(source).map((block) => show(block, 0)));

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(?:( {1,4})(.*)|\s*)$/;
const QUOTE = /^ {0,3}> ?/;
const TABLE_RULE = /^ {0,3}\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;
const BLANK = /^\s*$/;

/** @param {string} text @returns {Block[]} */
export function blocks(text) {
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  /** @type {Block[]} */
  const found = [];
  let at = 0;
  while (at < lines.length) {
    if (BLANK.test(lines[at])) {
      at++;
      continue;
    }
    const begins = at;
    const block = fence(lines, at) ?? heading(lines, at) ?? rule(lines, at) ?? quote(lines, at) ?? list(lines, at)
      ?? table(lines, at) ?? paragraph(lines, at);
    at = block.end;
    found.push({ ...block, source: lines.slice(begins, at).join('\n') });
  }
  return found;
}

/** @param {string[]} lines @param {number} at */
function fence(lines, at) {
  const opens = FENCE.exec(lines[at]);
  if (!opens) return null;
  let end = at + 1;
  const closes = (/** @type {string} */ line) => line.trim().startsWith(opens[1]) && !line.trim().slice(opens[1].length).trim();
  while (end < lines.length && !closes(lines[end])) end++;
  return { kind: 'code', language: opens[2].trim().split(/\s/)[0], text: lines.slice(at + 1, end).join('\n'), end: Math.min(end + 1, lines.length) };
}

/** @param {string[]} lines @param {number} at */
function heading(lines, at) {
  const found = HEADING.exec(lines[at]);
  return found && { kind: 'heading', level: found[1].length, text: found[2] ?? '', end: at + 1 };
}

/** @param {string[]} lines @param {number} at */
function rule(lines, at) {
  return RULE.test(lines[at]) ? { kind: 'rule', end: at + 1 } : null;
}

/** @param {string[]} lines @param {number} at */
function quote(lines, at) {
  if (!QUOTE.test(lines[at])) return null;
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end++;
  return { kind: 'quote', text: lines.slice(at, end).map((line) => line.replace(QUOTE, '')).join('\n'), end };
}

/** @param {string[]} lines @param {number} at */
function list(lines, at) {
  const first = ITEM.exec(lines[at]);
  if (!first) return null;
  const isOrdered = /\d/.test(first[2]);
  const sameKind = (/** @type {string} */ mark) => /\d/.test(mark) === isOrdered;
  /** @type {string[][]} */
  const items = [];
  let end = at;
  let indent = 0;
  while (end < lines.length) {
    const line = lines[end];
    const item = ITEM.exec(line);
    const isInside = /^ +/.exec(line)?.[0].length ?? 0;
    if (item && sameKind(item[2]) && (items.length === 0 || item[1].length < indent) && !RULE.test(line)) {
      items.push([item[4] ?? '']);
      indent = item[1].length + item[2].length + (item[3]?.length ?? 1);
    } else if (BLANK.test(line)) {
      const next = lines[end + 1] ?? '';
      const goesOn = ITEM.exec(next) ? sameKind(/** @type {RegExpExecArray} */ (ITEM.exec(next))[2]) : (/^ +/.exec(next)?.[0].length ?? 0) >= indent;
      if (!goesOn || BLANK.test(next)) break;
      items.at(-1)?.push('');
    } else if (isInside >= Math.min(indent, 2) && items.length > 0) {
      items.at(-1)?.push(line.slice(Math.min(isInside, indent)));
    } else if (items.length > 0 && !begins(line)) {
      items.at(-1)?.push(line);
    } else {
      break;
    }
    end++;
  }
  return { kind: 'list', isOrdered, start: isOrdered ? Number.parseInt(first[2], 10) : 1, items: items.map((item) => item.join('\n')), end };
}

/** @param {string[]} lines @param {number} at */
function table(lines, at) {
  if (!lines[at].includes('|') || !TABLE_RULE.test(lines[at + 1] ?? '')) return null;
  const head = cells(lines[at]);
  const aligns = cells(lines[at + 1]).map((text) => (/:$/.test(text) ? (/^:/.test(text) ? 'center' : 'right') : 'left'));
  if (aligns.length !== head.length) return null;
  let end = at + 2;
  while (end < lines.length && lines[end].includes('|') && !BLANK.test(lines[end])) end++;
  const rows = lines.slice(at + 2, end).map((line) => {
    const row = cells(line);
    return head.map((_, index) => row[index] ?? '');
  });
  return { kind: 'table', head, aligns, rows, end };
}

/** The cells of a table's line; `\|` is no border. @param {string} line */
function cells(line) {
  const inner = line.trim().replace(/^\|/, '').replace(/(?<!\\)\|$/, '');
  return inner.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}

/** @param {string} line */
const begins = (line) => FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line) || ITEM.test(line);

/** @param {string[]} lines @param {number} at */
function paragraph(lines, at) {
  let end = at + 1;
  while (end < lines.length && !BLANK.test(lines[end]) && !begins(lines[end]) && !table(lines, end)) end++;
  return { kind: 'paragraph', text: lines.slice(at, end).join('\n'), end };
}

/** @param {Block} block @param {number} depth @returns {any} */
function show(block, depth) {
  const inside = (/** @type {string} */ text) =>
    depth < MAX_DEPTH ? blocks(text).map((one) => show(one, depth + 1)) : text;
  switch (block.kind) {
    case 'code':
      return html`<pre tabindex="0"><code>${block.text}</code></pre>`;
    case 'heading': {
      // The page has its own first and second headings.
      const Level = `h${Math.min(6, block.level + 2)}`;
      return html`<${Level}>${inline(block.text)}</${Level}>`;
    }
    case 'rule':
      return html`<hr />`;
    case 'quote':
      return html`<blockquote>${inside(block.text)}</blockquote>`;
    case 'list': {
      const items = block.items.map((/** @type {string} */ item) => html`<li>${tight(item, inside)}</li>`);
      return block.isOrdered ? html`<ol start=${block.start}>${items}</ol>` : html`<ul>${items}</ul>`;
    }
    case 'table':
      return html`<div class="table-frame" tabindex="0" role="region" aria-label="Table"><table>
        <thead><tr>${block.head.map((/** @type {string} */ cell, /** @type {number} */ index) => html`<th scope="col" class=${`align-${block.aligns[index]}`}>${inline(cell)}</th>`)}</tr></thead>
        <tbody>${block.rows.map((/** @type {string[]} */ row) => html`<tr>${row.map((cell, index) => html`<td class=${`align-${block.aligns[index]}`}>${inline(cell)}</td>`)}</tr>`)}</tbody>
      </table></div>`;
    default:
      return html`<p>${inline(block.text)}</p>`;
  }
}

/** An item that is one paragraph needs no paragraph around it. @param {string} item @param {(text: string) => any} inside */
function tight(item, inside) {
  const found = blocks(item);
  if (found.length === 0) return '';
  if (found[0].kind !== 'paragraph') return inside(item);
  const rest = item.slice(item.indexOf(found[0].source) + found[0].source.length);
  return [inline(found[0].text), BLANK.test(rest) ? null : inside(rest)];
}

/** What can stand in a line, the first that fits wins. Each is bounded, so that no text takes long. */
const INLINE = new RegExp(
  [
    /\\([!-/:-@[-`{-~])/, // 1 a sign that means itself
    /(`{1,4})([^`](?:.{0,2000}?[^`])?)\2(?!`)/, // 2, 3 code
    /!?\[([^\]\n]{0,500})\]\(\s*<?([^)\s>]{1,2000})>?(?:\s+"[^"]*")?\s*\)/, // 4, 5 a link
    /<((?:https?:\/\/|mailto:)[^>\s]{1,2000})>/, // 6 an address in brackets
    /\*\*(?=\S)([\s\S]{0,1000}?\S)\*\*(?!\*)/, // 7 strong
    /__(?=\S)([\s\S]{0,1000}?\S)__(?!\w)/, // 8 strong
    /\*(?=[^\s*])([\s\S]{0,1000}?[^\s*])\*(?!\*)/, // 9 emphasis
    /(?<!\w)_(?=[^\s_])([\s\S]{0,1000}?[^\s_])_(?!\w)/, // 10 emphasis
    /~~(?=\S)([\s\S]{0,1000}?\S)~~/, // 11 struck
    /(?<![\w/])(https?:\/\/[^\s<>"'`)\]]{1,2000}[^\s<>"'`)\].,;:!?])/, // 12 a bare address
    /( {2,}|\\)\n/, // 13 a line that ends here
  ].map((one) => one.source).join('|'),
  'g',
);

/** @param {string} text @param {number} [depth] @returns {any[]} */
export function inline(text, depth = 0) {
  if (depth > MAX_DEPTH) return [text];
  const parts = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    const [all, escaped, , code, linkText, target, address, strong, strong2, emphasis, emphasis2, struck, bare, ends] = found;
    if (found.index > at) parts.push(text.slice(at, found.index));
    at = found.index + all.length;
    if (escaped !== undefined) parts.push(escaped);
    else if (code !== undefined) parts.push(html`<code>${code.replace(/^ (.*) $/, '$1')}</code>`);
    else if (target !== undefined) parts.push(link(target, linkText ? inline(linkText, depth + 1) : target, all));
    else if (address !== undefined) parts.push(link(address, address, all));
    else if (strong !== undefined || strong2 !== undefined) parts.push(html`<strong>${inline(strong ?? strong2, depth + 1)}</strong>`);
    else if (emphasis !== undefined || emphasis2 !== undefined) parts.push(html`<em>${inline(emphasis ?? emphasis2, depth + 1)}</em>`);
    else if (struck !== undefined) parts.push(html`<s>${inline(struck, depth + 1)}</s>`);
    else if (bare !== undefined) parts.push(link(bare, bare, all));
    else if (ends !== undefined) parts.push(html`<br />`);
  }
  if (at < text.length) parts.push(text.slice(at));
  return parts;
}

/** A link that leads out of here, or the text as it was written where it leads nowhere good. @param {string} target @param {any} content @param {string} written */
function link(target, content, written) {
  const safe = safeAddress(target);
  return safe ? html`<a href=${safe} target="_blank" rel="noopener noreferrer nofollow">${content}</a>` : written;
}

/** The address where it is one that may be followed. @param {string} target */
export function safeAddress(target) {
  try {
    const url = new URL(target);
    return ['http:', 'https:', 'mailto:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
