// The client against the real server: `node --experimental-websocket --test clients/typescript/tests/`.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client, Problem, Transcript } from '../src/index.js';
import { Server, findBinary } from './server.mjs';

const PASSWORD = 'a long pass phrase';
const binary = findBinary();
const skip = binary ? false : 'the server is not built; build it with `cargo build`, or name it in SYMPHAINY_BIN';
/** @type {Server} */
let server;
let count = 0;

before(async () => {
  if (binary) server = await new Server({ SYMPHAINY__AGENTS__BUILTIN__PACE: '10ms' }).start();
});
after(() => server?.stop());

/** A client of somebody who has just registered. */
async function person(options = {}) {
  const client = new Client({ baseUrl: server.address, ...options });
  await client.auth.register({ name: 'Ada', email: `ada.${process.pid}.${count++}@example.com`, password: PASSWORD });
  const { session } = await client.me();
  return { client, sessionId: session.session_id };
}

/** Waits until something holds that the client's events bring about. */
function until(fits) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => (clearInterval(timer), reject(new Error(`it did not happen: ${fits}`))), 15_000);
    const timer = setInterval(() => {
      if (!fits()) return;
      clearInterval(timer);
      clearTimeout(late);
      resolve();
    }, 10);
  });
}

/** A conversation with its transcript. */
function converse(client, id, options = {}) {
  const transcript = new Transcript();
  const states = [];
  const socket = client.converse(id, { ...options, onEvent: (event) => transcript.take(event), onStatus: (status) => states.push(status) });
  return { socket, transcript, states, say: (text) => transcript.say(socket.say(text), text) };
}

test('what goes wrong is a sentence, a code and fields', { skip }, async () => {
  const client = new Client({ baseUrl: server.address });
  const wrong = await client.auth.login({ email: 'nobody@example.com', password: 'wrong wrong wrong' }).catch((error) => error);
  assert.ok(wrong instanceof Problem);
  assert.deepEqual([wrong.status, wrong.code], [401, 'authentication_failed']);
  const short = await client.auth.register({ name: 'Ada', email: 'ada', password: 'x' }).catch((error) => error);
  assert.equal(short.code, 'validation_failed');
  assert.ok(short.field('email') && short.requestId);
  const unreachable = await new Client({ baseUrl: 'http://127.0.0.1:9', apiKey: 'x' }).me().catch((error) => error);
  assert.deepEqual([unreachable.status, unreachable.code], [0, 'unreachable']);
});

test('an intent is submitted once, watched from any number and read', { skip }, async () => {
  const { client, sessionId } = await person();
  const file = await client.artifacts.upload(new Blob(['a,b\n1,2\n3,4\n'], { type: 'text/csv' }), { name: 'small.csv', sessionId });
  assert.equal(file.lifecycle_state, 'ready');
  const body = { intent_type: 'profile_data', session_id: sessionId, parameters: { file: 'small.csv' } };
  const [one, other] = await Promise.all([client.intents.submit(body, { key: 'k' }), client.intents.submit(body, { key: 'k' })]);
  assert.equal(one.execution_id, other.execution_id);
  const events = [];
  for await (const event of client.executions.watch(one.execution_id)) events.push(event);
  assert.equal(events.at(-1).event_type, 'execution.completed');
  const later = [];
  for await (const event of client.executions.watch(one.execution_id, { after: events[0].seq })) later.push(event);
  assert.deepEqual(later, events.slice(1));
  const ended = await client.executions.ended(one.execution_id);
  assert.equal(ended.status, 'completed');
  assert.ok((await client.executions.list({ intent_type: 'profile_data' })).executions.length === 1);
  const content = await client.artifacts.content(file.artifact_id);
  assert.equal(await content.text(), 'a,b\n1,2\n3,4\n');
});

test('many calls with a token that has run out make one refresh', { skip }, async () => {
  let refreshes = 0;
  const counting = (input, init) => {
    if (String(input).endsWith('/api/auth/refresh')) refreshes++;
    return fetch(input, init);
  };
  const kept = [];
  const { client } = await person({ fetch: counting, onTokens: (tokens) => kept.push(tokens) });
  client.http.tokens = { ...client.http.tokens, access_token: 'run.out.token' };
  const all = await Promise.all(Array.from({ length: 10 }, () => client.me()));
  assert.equal(refreshes, 1);
  assert.equal(new Set(all.map((me) => me.user.id)).size, 1);
  assert.equal(kept.length, 2);
});

test('a sign-in that has ended is told once', { skip }, async () => {
  let told = 0;
  const { client } = await person({ onSignedOut: () => told++ });
  const tokens = client.http.tokens;
  await client.auth.logout();
  client.http.tokens = tokens;
  const ended = await client.me().catch((error) => error);
  assert.equal(ended.status, 401);
  assert.equal(told, 1);
});

test('a conversation streams, and its transcript tells who spoke, why, and what was done', { skip }, async () => {
  const { client, sessionId } = await person();
  await client.artifacts.upload(new Blob(['a,b\n1,2\n3,4\n'], { type: 'text/csv' }), { name: 'small.csv', sessionId });
  const talk = converse(client, 'c1', { sessionId });
  const turn = talk.say('how good is small.csv?');
  await until(() => turn.hasEnded);
  assert.equal(turn.status, 'completed');
  const voices = turn.parts.filter((part) => part.kind === 'voice').map((part) => part.agentId);
  assert.deepEqual(voices, ['guide', 'liaison.insights']);
  assert.equal(turn.parts.find((part) => part.kind === 'voice' && part.rule === 'hand_off')?.agentId, 'liaison.insights');
  assert.equal(turn.parts.find((part) => part.kind === 'tool').state, 'completed');
  const read = await client.conversations.get('c1');
  assert.equal(turn.said, read.messages.at(-1).content);

  // The same put together from what is kept: messages first, and the events of the execution where they are wanted.
  const again = new Transcript();
  assert.equal(again.load(read.messages, read.cursor), read.cursor);
  const old = again.turns[0];
  assert.deepEqual([old.status, old.isWhole, old.said], ['completed', false, turn.said]);
  again.complete(old, (await client.executions.get(old.executionId)).events);
  assert.deepEqual(old.parts.map((part) => part.kind), turn.parts.map((part) => part.kind));
  talk.socket.close();
});

test('an approval is asked for, refused, and nothing is done', { skip }, async () => {
  const { client, sessionId } = await person();
  const file = await client.artifacts.upload(new Blob(['a\n1\n'], { type: 'text/csv' }), { name: 'small.csv', sessionId });
  const talk = converse(client, 'c1', { sessionId });
  const turn = talk.say('delete small.csv');
  await until(() => turn.pendingApprovals.length === 1);
  assert.equal(turn.pendingApprovals[0].proposed.intent_type, 'delete_file');
  talk.socket.decide(turn.pendingApprovals[0].hookId, { approved: false });
  await until(() => turn.hasEnded);
  assert.equal(turn.parts.find((part) => part.kind === 'tool').approval.status, 'rejected');
  assert.equal((await client.artifacts.get(file.artifact_id)).lifecycle_state, 'ready');
  talk.socket.close();
});

test('a turn is stopped, and what was said stays', { skip }, async () => {
  const { client, sessionId } = await person();
  const talk = converse(client, 'c1', { sessionId });
  const turn = talk.say('what can I do here?');
  await until(() => turn.said.length > 0);
  talk.socket.cancel(turn.executionId);
  await until(() => turn.hasEnded);
  assert.equal(turn.status, 'cancelled');
  assert.ok(turn.said.length > 0);
  talk.socket.close();
});

test('a server that is killed in the middle is waited for, and nothing is said twice', { skip }, async () => {
  const own = await new Server({ SYMPHAINY__AGENTS__BUILTIN__PACE: '15ms' }).start();
  const client = new Client({ baseUrl: own.address });
  await client.auth.register({ name: 'Ada', email: 'ada@example.com', password: PASSWORD });
  const talk = converse(client, 'c1');
  const first = talk.say('what can I do here?');
  await until(() => first.said.length > 0);
  await own.kill();
  await until(() => talk.states.at(-1).state === 'waiting');
  const second = talk.say('which files are there?');
  assert.equal(second.status, 'sending');
  await own.start();
  await until(() => first.hasEnded && second.hasEnded);
  const { messages } = await client.conversations.get('c1');
  assert.equal(messages.length, 4);
  assert.equal(first.said, messages.find((one) => one.role === 'assistant' && one.execution_id === first.executionId).content);
  assert.equal(second.said, messages.find((one) => one.role === 'assistant' && one.execution_id === second.executionId).content);
  talk.socket.close();
  await own.stop();
});

test('what the server refuses is told with the message', { skip }, async () => {
  const { client } = await person();
  const refusals = [];
  const socket = client.converse('c1', { onRefused: (refusal) => refusals.push(refusal) });
  const id = socket.say('x', { agentId: 'nobody' });
  await until(() => refusals.length > 0);
  assert.equal(refusals[0].replyTo, id);
  assert.equal(refusals[0].code, 'unknown_agent');
  socket.close();
});

test('conversations are found, renamed and deleted', { skip }, async () => {
  const { client, sessionId } = await person();
  const talk = converse(client, 'c1', { sessionId });
  const turn = talk.say('what can I do here?');
  await until(() => turn.hasEnded);
  talk.socket.close();
  assert.equal((await client.conversations.rename('c1', 'First')).title, 'First');
  assert.equal((await client.conversations.list({ search: 'can i do' })).conversations[0].title, 'First');
  assert.equal((await client.conversations.list({ search: 'zebra' })).conversations.length, 0);
  await client.conversations.delete('c1');
  assert.equal((await client.conversations.get('c1').catch((error) => error)).code, 'not_found');
});
