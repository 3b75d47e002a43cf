// What the pages compute before they draw: which turns are in sight, where nodes lie, what is kin to what.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawable } from '../../app/chart.js';
import { suggestions } from '../../app/conversation/turn.js';
import { offsetsOf, range } from '../../app/conversation/timeline.js';
import { layout } from '../../app/diagram.js';
import { agentName, size, took, voice, words } from '../../app/format.js';
import { direct, kinOf } from '../../app/pages/file.js';

test('only turns near to the eye are drawn, wherever it looks', () => {
  const turns = Array.from({ length: 2_500 }, (_, index) => ({ id: `t${index}` }));
  const heights = new Map(turns.map((turn, index) => [turn.id, 80 + (index % 7) * 60]));
  const offsets = offsetsOf(turns, heights);
  const total = offsets.at(-1);
  for (let top = 0; top < total; top += 5_003) {
    const [from, to] = range(offsets, { top, height: 900 }, false, total);
    assert.ok(offsets[from] <= top, `${top}`);
    assert.ok(offsets[to] >= Math.min(total, top + 900), `${top}`);
    assert.ok(to - from < 60, `${to - from} turns are drawn`);
  }
  const [from, to] = range(offsets, { top: 0, height: 900 }, true, total);
  assert.equal(to, turns.length);
  assert.ok(to - from < 60);
  assert.deepEqual(range([0], { top: 0, height: 900 }, true, 0), [0, 0]);
});

test('nodes lie after those that lead to them, and circles end', () => {
  const nodes = ['a', 'b', 'c', 'd'].map((id) => ({ id, label: id }));
  const edges = [['a', 'b'], ['b', 'c'], ['a', 'd'], ['c', 'd'], ['d', 'b']].map(([from, to]) => ({ from, to }));
  const plan = layout(nodes, edges);
  assert.deepEqual(nodes.map((node) => plan.places.get(node.id).layer), [0, 1, 2, 3]);
  assert.deepEqual(plan.ways.filter((way) => way.isBack).map((way) => way.edge), [edges[4]]);
  const long = plan.ways.find((way) => way.edge === edges[2]);
  assert.equal(long.steps.length, 4, 'a way over two layers has a place in each');
  assert.equal(layout([], []).layers, 0);
});

test('lineage has everything before and after, and no way twice', () => {
  const all = [['file', []], ['read', ['file']], ['quality', ['read', 'file']], ['sum', ['quality', 'file']], ['other', []]]
    .map(([artifact_id, parent_artifacts]) => ({ artifact_id, parent_artifacts }));
  assert.deepEqual([...kinOf(all[1], all)].sort(), ['file', 'quality', 'read', 'sum']);
  assert.deepEqual([...kinOf(all[4], all)], ['other']);
  const edges = all.flatMap((one) => one.parent_artifacts.map((from) => ({ from, to: one.artifact_id })));
  assert.deepEqual(direct(edges).map(({ from, to }) => `${from}-${to}`), ['file-read', 'read-quality', 'quality-sum']);
});

test('a table is drawn where it is a picture', () => {
  assert.equal(drawable(['city', 'total'], [['a', 1], ['b', null]])?.kind, 'bars');
  assert.equal(drawable(['day', 'total'], [['2026-01-01', 1], ['2026-01-02', -2]])?.kind, 'line');
  for (const rows of [[['a', 1]], [['a', 'x'], ['b', 'y']], [['a', -1], ['b', 2]], [['a', null], ['b', null]]]) {
    assert.equal(drawable(['city', 'total'], rows), null, JSON.stringify(rows));
  }
});

test('what an answer proposes can be pressed', () => {
  assert.deepEqual(suggestions('Done.\n\n*Next, you could say:* “profile it” or “sum up”'), ['profile it', 'sum up']);
  assert.deepEqual(suggestions('He said “no”.'), []);
});

test('names, sizes and times are for people', () => {
  assert.equal(words('assess_data_quality'), 'Assess data quality');
  assert.equal(agentName('liaison.insights'), 'Insights');
  assert.deepEqual([voice('guide'), voice('liaison.journey'), voice('mine'), voice(null)], ['guide', 'journey', 'other', 'guide']);
  assert.deepEqual([size(1), size(4282), size(5 * 1024 * 1024)].map((text) => text.replace(',', '.')), ['1 byte', '4.2 KB', '5 MB']);
  assert.equal(took('2026-01-01T00:00:00.000Z', '2026-01-01T00:01:05.000Z'), '1 min 5 s');
});
