// Charts of a few values: bars for categories, a line for what goes on in time. Each has its numbers as text too.

import { html, useId } from './html.js';
import { cell } from './format.js';

/** More bars than that are no picture. */
const MAX_BARS = 16;
const MAX_POINTS = 400;

/** Whether a table can be drawn, and how. @param {string[]} columns @param {any[][]} rows */
export function drawable(columns, rows) {
  if (rows.length < 2 || columns.length < 2) return null;
  const value = columns.findIndex((_, index) => index > 0 && rows.every((row) => row[index] === null || typeof row[index] === 'number'));
  if (value < 1 || rows.every((row) => row[value] === null)) return null;
  const isTime = rows.every((row) => /^\d{4}-\d{2}(-\d{2})?/.test(String(row[0])));
  if (isTime && rows.length <= MAX_POINTS) return { kind: 'line', label: 0, value };
  if (rows.some((row) => row[value] < 0)) return null;
  return { kind: 'bars', label: 0, value };
}

/** @param {{columns: string[], rows: any[][], title: string}} props */
export function Chart({ columns, rows, title }) {
  const how = drawable(columns, rows);
  if (!how) return null;
  const points = rows.map((row) => ({ label: row[how.label], value: row[how.value] }));
  return how.kind === 'line'
    ? html`<${Line} points=${points} title=${title} name=${columns[how.value]} />`
    : html`<${Bars} points=${points} title=${title} name=${columns[how.value]} />`;
}

/** @param {{points: {label: any, value: number | null}[], title: string, name: string}} props */
export function Bars({ points, title, name }) {
  const shown = points.slice(0, MAX_BARS);
  const most = Math.max(...shown.map((point) => point.value ?? 0), 0) || 1;
  const percent = (/** @type {number | null} */ value) => `${Math.max(0.5, ((value ?? 0) / most) * 100)}%`;
  return html`<figure class="chart">
    <figcaption>${name}</figcaption>
    <ol class="bars" aria-label=${title}>
      ${shown.map(({ label, value }) => html`<li>
        <span class="bar-label">${cell(label)}</span>
        <span class="bar-track"><span class="bar" style=${{ width: percent(value) }}></span></span>
        <span class="bar-value">${cell(value)}</span>
      </li>`)}
    </ol>
    ${points.length > shown.length && html`<p class="hint">The first ${shown.length} of ${points.length}.</p>`}
  </figure>`;
}

/** @param {{points: {label: any, value: number | null}[], title: string, name: string}} props */
function Line({ points, title, name }) {
  const id = useId();
  const [width, height, pad] = [600, 180, 8];
  const values = points.map((point) => point.value ?? 0);
  const [low, high] = [Math.min(0, ...values), Math.max(...values)];
  const x = (/** @type {number} */ index) => pad + (index / Math.max(1, points.length - 1)) * (width - 2 * pad);
  const y = (/** @type {number} */ value) => height - pad - ((value - low) / (high - low || 1)) * (height - 2 * pad);
  const path = values.map((value, index) => `${index ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join('');
  const said = `${name} from ${cell(points[0].label)} (${cell(values[0])}) to ${cell(points.at(-1)?.label)} (${cell(values.at(-1))}); at most ${cell(high)}.`;
  return html`<figure class="chart">
    <figcaption>${name}</figcaption>
    <svg class="line-chart" viewBox=${`0 0 ${width} ${height}`} role="img" aria-labelledby=${id}>
      <title id=${id}>${title}. ${said}</title>
      <path class="line-base" d=${`M${pad} ${y(low)}H${width - pad}`} />
      <path class="line-area" d=${`${path}L${x(points.length - 1)} ${y(low)}L${x(0)} ${y(low)}Z`} />
      <path class="line-path" d=${path} />
    </svg>
    <div class="line-ends"><span>${cell(points[0].label)}</span><span>most ${cell(high)}</span><span>${cell(points.at(-1)?.label)}</span></div>
  </figure>`;
}

/** A share of a hundred. @param {{name: string, value: number}} props */
export function Meter({ name, value }) {
  return html`<div class="meter">
    <span>${name}</span>
    <span class="bar-track"><span class="bar" style=${{ width: `${Math.max(0, Math.min(100, value))}%` }}></span></span>
    <span class="bar-value">${cell(value)}</span>
  </div>`;
}

/** A table of values. @param {{columns: string[], rows: any[][], label: string, limit?: number}} props */
export function Table({ columns, rows, label, limit = 200 }) {
  const isNumber = columns.map((_, index) => rows.some((row) => typeof row[index] === 'number'));
  return html`<div class="table-frame" tabindex="0" role="region" aria-label=${label}><table>
    <thead><tr>${columns.map((column, index) => html`<th scope="col" class=${isNumber[index] ? 'align-right' : ''}>${column}</th>`)}</tr></thead>
    <tbody>${rows.slice(0, limit).map((row) => html`<tr>${columns.map((_, index) => html`<td class=${isNumber[index] ? 'align-right' : ''}>${cell(row[index])}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
