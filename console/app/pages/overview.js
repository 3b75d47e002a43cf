// The overview: what runs, waits and failed of what you may see, and whether the server is well. Figures are of the newest
// executions and say so.

import { count, intentName, took } from '../format.js';
import { html, useEffect, useState } from '../html.js';
import { client, useLoaded, waiting, useCell } from '../state.js';
import { Bars } from '../chart.js';
import { Busy, Empty, PageHead, Time, Trouble } from '../ui.js';

const NEWEST = 200;
const LOOK_AGAIN_MS = 5_000;

export default function Overview() {
  const [round, setRound] = useState(0);
  const held = useCell(waiting);
  useEffect(() => {
    const timer = setInterval(() => document.hidden || setRound((round) => round + 1), LOOK_AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const { value, problem, again } = useLoaded(async () => {
    const [newest, dead, health] = await Promise.all([
      client.executions.list({ limit: NEWEST }),
      client.executions.list({ limit: NEWEST, dead_letters: true }),
      client.http.ask('GET', '/health/ready').catch((error) => ({ status: error.message })),
    ]);
    return { newest: newest.executions, dead: dead.executions, health };
  }, [round]);
  if (problem && !value) return html`<div class="page"><${PageHead} title="Overview" /><${Trouble} problem=${problem} again=${again} /></div>`;
  if (!value) return html`<div class="page"><${PageHead} title="Overview" /><${Busy}>It is being counted…</${Busy}></div>`;
  const { newest, dead, health } = value;
  const running = newest.filter((one) => one.status === 'running').length;
  const pending = newest.filter((one) => one.status === 'pending').length;
  const durations = newest.filter((one) => one.started_at && one.completed_at).map((one) => span(one)).sort((a, b) => a - b);
  return html`<div class="page">
    <${PageHead} title="Overview" lead=${`Of your newest ${count(newest.length, 'execution')}, as they stand now.`}>
      <span class=${`badge badge-${health.status === 'healthy' ? 'completed' : 'failed'}`}>${health.status === 'healthy' ? `the server is well, version ${health.version}` : health.status}</span></${PageHead}>
    ${newest.length === 0 ? html`<${Empty} title="Nothing was done yet."><p><a href="/">Begin a conversation</a>, and see here how it goes.</p></${Empty}>` : html`
    <div class="figures">
      <${Figure} value=${running} name="run" href="/executions?status=running" />
      <${Figure} value=${pending} name="wait for a place" href="/executions?status=pending" />
      <${Figure} value=${held} name="wait for your word" href="/approvals" />
      <${Figure} value=${dead.length} name="failed for good" href="/executions?dead_letters=true" />
      ${durations.length > 0 && html`<${Figure} value=${ms(durations[Math.floor(durations.length / 2)])} name=${`half take less; 19 of 20 less than ${ms(durations[Math.floor(durations.length * 0.95)])}`} />`}
    </div>
    <section class="card"><h2>What was asked for</h2><${Bars} title="Executions by intent" name="executions" points=${byIntent(newest)} /></section>
    <section class="section"><h2>What went wrong lately</h2>${wrong(newest).length === 0 ? html`<p class="hint">Nothing.</p>` : html`<ul class="list">${wrong(newest).map((one) => html`<li key=${one.execution_id} class="list-item">
      <div class="grow"><a class="list-title" href=${`/executions/${one.execution_id}`}>${intentName(one.intent_type)}</a><p class="list-note">${one.problem?.message}</p></div>
      <span class="list-side"><${Time} at=${one.created_at} /></span></li>`)}</ul>`}</section>`}
  </div>`;
}

/** @param {{value: any, name: string, href?: string}} props */
function Figure({ value, name, href }) {
  return href ? html`<a class="figure" href=${href}><b>${value}</b><span>${name}</span></a>` : html`<div class="figure"><b>${value}</b><span>${name}</span></div>`;
}

/** @param {any} one */
const span = (one) => new Date(one.completed_at).getTime() - new Date(one.started_at).getTime();

/** @param {number} amount */
const ms = (amount) => took(new Date(0).toISOString(), new Date(amount).toISOString());

/** @param {any[]} executions */
function byIntent(executions) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const one of executions) counts.set(one.intent_type, (counts.get(one.intent_type) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([name, value]) => ({ label: intentName(name), value }));
}

/** @param {any[]} executions */
const wrong = (executions) => executions.filter((one) => one.status === 'failed').slice(0, 8);
