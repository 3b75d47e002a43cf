// One turn: what a person said, and what came of it. Each agent is a voice on the line beside the text; what it did stands
// on that line in the order in which it happened.

import { agentName, took, voice, words } from '../format.js';
import { classes, html, memo, useEffect, useState } from '../html.js';
import { Icon, Note } from '../icons.js';
import { Markdown } from '../markdown.js';
import { notify } from '../state.js';
import { Button, Time } from '../ui.js';
import { ApprovalCard } from './approval.js';
import { Made } from './made.js';

/** How long a turn has to be in sight before what happened in it is read, in milliseconds. */
const GLANCE_MS = 150;

export const TurnView = memo((/** @type {any} */ { turn, talk, actions, isLast }) => {
  useEffect(() => {
    // What is only scrolled past is not asked for.
    const timer = setTimeout(() => talk.complete(turn), GLANCE_MS);
    return () => clearTimeout(timer);
  }, [turn]);
  return html`<${Said} turn=${turn} actions=${actions} /><${Answer} turn=${turn} talk=${talk} actions=${actions} isLast=${isLast} />`;
});

/** @param {any} props */
function Said({ turn, actions }) {
  return html`<div class="said">
    <h2 class="sr-only">You said</h2>
    <p class="said-text">${turn.text}</p>
    <div class="said-foot">
      <${Time} at=${turn.at} />
      <${Button} kind="quiet" icon="edit" label="Edit and send again" onClick=${() => actions.edit(turn)} />
    </div>
  </div>`;
}

/** @param {any} props */
function Answer({ turn, talk, actions, isLast }) {
  const isOpen = !turn.hasEnded;
  const last = turn.parts.at(-1);
  const groups = byVoice(turn.parts);
  const made = Object.values(turn.artifacts ?? {});
  return html`<div class="answer">
    ${groups.map((group, index) => html`<${VoicePart} key=${index} group=${group} before=${groups[index - 1]} talk=${talk}
      isSounding=${isOpen && index === groups.length - 1} isStreaming=${isOpen && last?.kind === 'text' && index === groups.length - 1} />`)}
    ${isOpen && last?.kind !== 'text' && turn.pendingApprovals.length === 0 && html`<${Under} turn=${turn} talk=${talk} />`}
    ${made.length > 0 && html`<${Made} described=${made} agentId=${turn.agentId} />`}
    ${turn.status === 'cancelled' && html`<p class="ending">It was stopped here. What had been said stays.</p>`}
    ${turn.status === 'refused' && html`<div class="trouble" role="alert"><p>It was not sent: ${turn.problem?.error}</p></div>`}
    ${turn.status === 'failed' && html`<div class="trouble"><p>${turn.problem?.error ?? 'The answer failed.'}</p>
      ${turn.problem?.code && html`<p class="hint"><a href=${`/docs/errors#${turn.problem.code}`} target="_blank">What “${turn.problem.code}” means</a></p>`}</div>`}
    ${turn.hasEnded && html`<${Foot} turn=${turn} actions=${actions} isLast=${isLast} />`}
  </div>`;
}

/** What a turn waits for, in words. @param {any} props */
function Under({ turn, talk }) {
  const status = talk.status.value.state;
  const working = turn.parts.findLast((/** @type {any} */ part) => part.kind === 'tool' && part.state === 'started');
  const said = turn.status === 'sending' ? (status === 'open' ? 'Sending…' : 'It is sent as soon as there is a connection.')
    : turn.retryAt ? 'It did not work, and is tried again…'
      : turn.status === 'waiting' ? 'It waits for its turn…'
        : working ? `${words(working.intent)}…` : `${agentName(turn.agentId)} is thinking…`;
  return html`<p class="under"><span class="busy-dots" aria-hidden="true"><i></i><i></i><i></i></span>${said}</p>`;
}

/**
 * The parts of each voice. Whoever only hands over says nothing, and stands in the line of whom it was handed to.
 * @param {any[]} parts
 */
function byVoice(parts) {
  /** @type {{voice: any, parts: any[], from?: string}[]} */
  const groups = [];
  for (const part of parts) {
    if (part.kind === 'voice') {
      const before = groups.at(-1);
      const isSilent = before && before.parts.length === 0;
      if (isSilent) groups.pop();
      groups.push({ voice: part, parts: [], from: before?.voice.agentId });
    } else {
      if (groups.length === 0) groups.push({ voice: { kind: 'voice', agentId: part.agentId }, parts: [] });
      groups[groups.length - 1].parts.push(part);
    }
  }
  return groups;
}

const HANDS = new Set(['hand_off', 'hand_back']);

/** @param {any} props */
function VoicePart({ group, isSounding, isStreaming, talk }) {
  const [isExplained, setExplained] = useState(false);
  const { agentId, rule, reason } = group.voice;
  const isHanded = HANDS.has(rule) && group.from;
  const last = group.parts.at(-1);
  return html`<section class=${classes('voice', `voice-${voice(agentId)}`, isSounding && 'voice-sounding')}>
    <header class="voice-head">
      <${Note} />
      <h2 class="voice-name">${agentName(agentId)}</h2>
      ${isHanded && html`<span class="voice-from">took over from ${agentName(group.from)}</span>`}
      ${reason && html`<button type="button" class="why" aria-expanded=${String(isExplained)} onClick=${() => setExplained(!isExplained)}>why?</button>`}
    </header>
    ${isExplained && html`<p class="why-text">${reason} <span class="hint">(${RULES[rule] ?? rule})</span></p>`}
    ${group.parts.map((/** @type {any} */ part, /** @type {number} */ index) => part.kind === 'text'
      ? html`<div key=${index} class=${classes('said-by', isStreaming && part === last && 'streaming')}><${Markdown} text=${part.text} /></div>`
      : html`<${Tool} key=${index} tool=${part} talk=${talk} />`)}
  </section>`;
}

/** The rules of routing in words. @type {Record<string, string>} */
const RULES = {
  named: 'it was asked for by name',
  present: 'it is answering in this conversation already',
  surface: 'the place that the message came from',
  guide: 'the guide answers where nobody else is asked',
  hand_off: 'the conversation was handed over',
  hand_back: 'the conversation was handed back',
};

const STATES = /** @type {Record<string, string>} */ ({ started: 'under way', completed: 'done', failed: 'not done' });

/** @param {any} props */
function Tool({ tool, talk }) {
  const waits = tool.approval?.status === 'pending';
  const state = waits ? 'waits for you' : STATES[tool.state];
  return html`<div class=${classes('tool', `tool-${tool.state}`)}>
    <details>
      <summary>
        <${Note} hollow />
        <span class="tool-name">${words(tool.intent)}</span>
        <span class="tool-state">${state}${tool.endedAt && !tool.approval ? ` · ${took(tool.startedAt, tool.endedAt)}` : ''}</span>
      </summary>
      <dl class="facts">
        <dt>Intent</dt><dd><code>${tool.intent}</code></dd>
        ${tool.error && html`<dt>Why not</dt><dd>${tool.error}</dd>`}
        ${tool.executionId && html`<dt>Execution</dt><dd><a href=${`/executions/${tool.executionId}`}>${tool.executionId}</a></dd>`}
        ${Object.entries(tool.artifacts ?? {}).map(([key, id]) => html`<dt>${words(key)}</dt><dd><a href=${`/files/${id}`}>${id}</a></dd>`)}
      </dl>
    </details>
    ${tool.approval && html`<${ApprovalCard} approval=${tool.approval} status=${tool.approval.status} decide=${(/** @type {any} */ decision) => talk.decide(tool.approval.hookId, decision)} />`}
  </div>`;
}

/** @param {any} props */
function Foot({ turn, actions, isLast }) {
  const copy = () => navigator.clipboard.writeText(turn.said).then(() => notify('The answer is copied.'), () => notify('The browser does not allow to copy.', 'bad'));
  const suggested = isLast ? suggestions(turn.said) : [];
  return html`<footer class="answer-foot">
    ${suggested.length > 0 && html`<div class="chips" role="group" aria-label="You could say">${suggested.map((text) => html`<button type="button" class="chip" onClick=${() => actions.say(text)}>${text}</button>`)}</div>`}
    <div class="row">
      ${turn.said && html`<${Button} kind="quiet" icon="copy" label="Copy the answer" onClick=${copy} />`}
      ${turn.status !== 'completed' && html`<${Button} icon="again" onClick=${() => actions.say(turn.text)}>Ask again</${Button}>`}
      ${turn.executionId && html`<a class="quiet-link" href=${`/executions/${turn.executionId}`}>How it came about</a>`}
      ${turn.endedAt && html`<span class="hint">${took(turn.at, turn.endedAt)}</span>`}
    </div>
  </footer>`;
}

/** What an answer says that one could say next, in quotation marks behind its last words. @param {string} said */
export function suggestions(said) {
  const last = said.trimEnd().split('\n').at(-1) ?? '';
  if (!/^\*?Next, you could say/.test(last)) return [];
  return [...last.matchAll(/“([^”]{2,80})”/g)].map((found) => found[1]).slice(0, 4);
}
