// An artifact as something to look at: what it says decides how it is shown.

import { Chart, Meter, Table, drawable } from '../chart.js';
import { Diagram } from '../diagram.js';
import { words } from '../format.js';
import { html } from '../html.js';
import { Markdown } from '../markdown.js';

/** Findings that stand in a conversation; the artifact's own page has all. */
const FEW = 5;

/** @param {{artifact: any, isBrief?: boolean}} props */
export function ArtifactView({ artifact, isBrief = false }) {
  const said = artifact.semantic_payload ?? {};
  const title = artifact.semantic_descriptor?.title ?? artifact.artifact_type;
  if (artifact.lifecycle_state === 'deleted') return html`<p class="hint">It was deleted. Its record stays.</p>`;
  switch (artifact.artifact_type) {
    case 'query_result':
      return html`<${QueryResult} said=${said} title=${title} isBrief=${isBrief} />`;
    case 'data_quality':
      return html`<${Quality} said=${said} isBrief=${isBrief} />`;
    case 'profile':
      return html`<${Profile} said=${said} isBrief=${isBrief} />`;
    case 'workflow':
      return html`<${Workflow} said=${said} title=${title} />`;
    default:
      return html`<${Other} artifact=${artifact} said=${said} title=${title} isBrief=${isBrief} />`;
  }
}

/** Whether there is more to see than the answer's own words. @param {any} artifact */
export function isWorthShowing(artifact) {
  if (artifact.lifecycle_state === 'deleted') return false;
  const said = artifact.semantic_payload ?? {};
  if (artifact.artifact_type === 'query_result') return Boolean(drawable(said.columns ?? [], said.rows ?? []));
  return ['data_quality', 'workflow', 'parsed_file'].includes(artifact.artifact_type);
}

/** @param {any} props */
function QueryResult({ said, title, isBrief }) {
  const [columns, rows] = [said.columns ?? [], said.rows ?? []];
  return html`<div class="stack">
    <${Chart} columns=${columns} rows=${rows} title=${title} />
    ${!isBrief && html`<${Table} columns=${columns} rows=${rows} label=${title} />`}
    ${!isBrief && said.truncated && html`<p class="hint">There are more rows than these.</p>`}
    ${!isBrief && said.sql && html`<details><summary>How it was asked</summary><pre tabindex="0"><code>${said.sql}</code></pre></details>`}
  </div>`;
}

/** @param {any} props */
function Quality({ said, isBrief }) {
  const issues = said.issues ?? [];
  return html`<div class="stack">
    <div class="score">
      ${typeof said.score === 'number' && html`<p class="score-value"><b>${said.score}</b><span>of 100</span></p>`}
      <div class="meters">${Object.entries(said.dimensions ?? {}).map(([name, value]) => html`<${Meter} name=${words(name)} value=${value} />`)}</div>
    </div>
    ${!isBrief && html`<ul class="findings">${issues.map((/** @type {any} */ issue) => html`<li><span class=${`severity severity-${issue.severity}`}>${issue.severity}</span><${Markdown} text=${issue.message} /></li>`)}</ul>`}
  </div>`;
}

/** @param {any} props */
function Profile({ said, isBrief }) {
  const columns = ['Column', 'Type', 'Missing', 'Distinct', 'Least', 'Most', 'Commonest'];
  const rows = (said.columns ?? []).map((/** @type {any} */ column) => [
    column.name, column.type, column.nulls, column.distinct, column.min, column.max, column.top_values?.[0]?.value,
  ]);
  return html`<${Table} columns=${columns} rows=${isBrief ? rows.slice(0, FEW) : rows} label="The columns" />`;
}

/** @param {any} props */
function Workflow({ said, title }) {
  const nodes = (said.nodes ?? []).map((/** @type {any} */ node) => ({ id: node.id, label: node.label, kind: node.kind, note: node.actor }));
  return html`<${Diagram} nodes=${nodes} edges=${said.edges ?? []} title=${title} />`;
}

/** @param {any} props */
function Other({ artifact, said, title, isBrief }) {
  const preview = said.preview;
  if (preview?.columns) {
    const rows = isBrief ? preview.rows.slice(0, FEW) : preview.rows;
    return html`<${Table} columns=${preview.columns} rows=${rows} label=${title} />`;
  }
  const text = artifact.renderings?.markdown ?? said.markdown ?? (typeof preview === 'string' ? preview : null);
  if (text) return html`<${Markdown} text=${text} />`;
  if (artifact.artifact_type === 'file') return html`<p class="hint">Nothing has been read from it yet.</p>`;
  return html`<details><summary>What it says, as data</summary><pre tabindex="0"><code>${JSON.stringify(said, null, 2)}</code></pre></details>`;
}
