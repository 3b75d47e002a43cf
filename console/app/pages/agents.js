// Who can be talked to, what each may do, and who would answer what.

import { agentName, voice, words } from '../format.js';
import { html, useState } from '../html.js';
import { Note } from '../icons.js';
import { describeIntent, useIntents } from '../intents.js';
import { asProblem, client, useLoaded } from '../state.js';
import { Busy, Button, Field, PageHead, Trouble } from '../ui.js';

export default function Agents() {
  const { value: agents, problem, again } = useLoaded(() => client.agents.list(), []);
  const intents = useIntents();
  return html`<div class="page">
    <${PageHead} title="Agents" lead="One guide, and a voice for each realm. They do nothing by themselves: whatever they do is an intent that the Runtime executes." />
    <${WhoWouldAnswer} />
    ${problem && html`<${Trouble} problem=${problem} again=${again} />`}
    ${!agents && !problem && html`<${Busy}>The agents are being called…</${Busy}>`}
    <div class="cards section">${(agents ?? []).map((agent) => html`<section key=${agent.agent_id} class=${`card agent voice-${voice(agent.agent_id)}`}>
      <h2><${Note} />${agentName(agent.agent_id)}</h2>
      <p>${agent.description}</p>
      <dl class="facts"><dt>Id</dt><dd><code>${agent.agent_id}</code></dd><dt>Kind</dt><dd>${agent.kind}</dd>
        ${agent.realm && html`<dt>Realm</dt><dd>${agent.realm}</dd>`}<dt>Surfaces</dt><dd>${agent.surfaces.map((/** @type {string} */ one) => words(one)).join(', ') || 'none'}</dd></dl>
      <details><summary>What it may do (${agent.intents.length})</summary>
        <dl>${agent.intents.map((/** @type {string} */ name) => html`<dt><b>${words(name)}</b>${needsWord(intents, name) && html` <span class="badge badge-draft">asks first</span>`}</dt><dd class="hint">${describeIntent(intents, name) ?? ''}</dd>`)}</dl>
      </details>
      ${agent.kind !== 'specialist' && html`<div class="row row-end"><a class="button" href=${`/?agent=${encodeURIComponent(agent.agent_id)}`}>Talk to it</a></div>`}
    </section>`)}</div>
  </div>`;
}

/** @param {any[]} intents @param {string} name */
const needsWord = (intents, name) => intents.find((intent) => intent.intent_type === name)?.approval === 'owner';

/** Routing explained: what the guide would make of a message. Nothing is executed. */
function WhoWouldAnswer() {
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  const [problem, setProblem] = useState(/** @type {any} */ (null));
  const [isBusy, setBusy] = useState(false);
  const ask = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const message = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get('message')).trim();
    setBusy(true);
    setProblem(null);
    try {
      setAnswer(await client.agents.analyze({ message }));
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  const analysis = answer?.intent_analysis;
  return html`<section class="card"><h2>Who would answer?</h2>
    <form class="toolbar" onSubmit=${ask}><div class="field-wide"><${Field} label="A message; nothing is executed" name="message" required maxlength="2000" placeholder="how good is orders.csv?" /></div>
      <${Button} type="submit" disabled=${isBusy}>${isBusy ? 'It is being read…' : 'Find out'}</${Button}></form>
    ${problem && html`<${Trouble} problem=${problem} />`}
    ${analysis && html`<div role="status"><p><b class=${`voice-${voice(analysis.agent_id)}`}>${agentName(analysis.agent_id)}</b> would answer${analysis.intent_type ? html`, with <b>${words(analysis.intent_type)}</b>` : ''}.
        ${analysis.needs_clarification ? ' It would ask back first.' : ''}</p>
      <dl class="facts"><dt>Confidence</dt><dd>${Math.round(analysis.confidence * 100)} of 100</dd>
        ${Object.entries(analysis.parameters).map(([name, value]) => html`<dt>${words(name)}</dt><dd>${String(value)}</dd>`)}
        ${answer.routing_info?.reason && html`<dt>Why</dt><dd>${answer.routing_info.reason}</dd>`}
        ${analysis.alternatives.map((/** @type {any} */ one) => html`<dt>Or</dt><dd>${agentName(one.agent_id)}${one.intent_type ? ` with ${words(one.intent_type)}` : ''} (${Math.round(one.confidence * 100)})</dd>`)}</dl></div>`}
  </section>`;
}
