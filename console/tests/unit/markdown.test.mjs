// Markdown becomes the elements that it means, and hostile text stays text. Without a browser: elements are looked at as values.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Markdown, blocks, inline, safeAddress } from '../../app/markdown.js';

/** What a view renders to, as text: elements in brackets with their links, text in quotes. */
function shown(node) {
  if (node === null || node === undefined || node === false) return '';
  if (Array.isArray(node)) return node.map(shown).join('');
  if (typeof node !== 'object') return String(node);
  const { type, props } = node;
  if (typeof type === 'function') return shown(type.call({ props }, props));
  const link = props.href === undefined ? '' : ` ${props.href}`;
  const start = props.start > 1 ? ` ${props.start}` : '';
  return `[${type}${link}${start}:${shown(props.children)}]`;
}

/** A text as it is shown, without the frame around it. */
function markdown(text) {
  const frame = shown({ type: Markdown, props: { text } });
  return frame.slice('[div:'.length, -1);
}

const CASES = [
  ['plain', '[p:plain]'],
  ['one\ntwo\n\nthree', '[p:one\ntwo][p:three]'],
  ['# Head\n## Less ##', '[h3:Head][h4:Less]'],
  ['**bold** *soft* ~~gone~~ `code`', '[p:[strong:bold] [em:soft] [s:gone] [code:code]]'],
  ['**bold and *soft* in it**', '[p:[strong:bold and [em:soft] in it]]'],
  ['snake_case_name and 2 * 3 * 4', '[p:snake_case_name and 2 * 3 * 4]'],
  ['\\*not\\* and \\_not\\_', '[p:*not* and _not_]'],
  ['`` a ` b ``', '[p:[code:a ` b]]'],
  ['- a\n- b\n  - c\n- d', '[ul:[li:a][li:b[ul:[li:c]]][li:d]]'],
  ['1. a\n2. b', '[ol:[li:a][li:b]]'],
  ['3. a\n4. b', '[ol 3:[li:a][li:b]]'],
  ['1. a\n\n   more\n2. b', '[ol:[li:a[p:more]][li:b]]'],
  ['text\n- a', '[p:text][ul:[li:a]]'],
  ['> said\n> more', '[blockquote:[p:said\nmore]]'],
  ['---', '[hr:]'],
  ['```js\nlet a = "<b>";\n```\nafter', '[pre:[code:let a = "<b>";]][p:after]'],
  ['```\nnot closed', '[pre:[code:not closed]]'],
  ['| a | b |\n| --- | ---: |\n| 1 | x \\| y |', '[div:[table:[thead:[tr:[th:a][th:b]]][tbody:[tr:[td:1][td:x | y]]]]]'],
  ['a | b', '[p:a | b]'],
  ['[text](https://example.com/a)', '[p:[a https://example.com/a:text]]'],
  ['see https://example.com/a.', '[p:see [a https://example.com/a:https://example.com/a].]'],
  ['<https://example.com/>', '[p:[a https://example.com/:https://example.com/]]'],
  ['![a picture](https://example.com/x.png)', '[p:[a https://example.com/x.png:a picture]]'],
  ['line  \nend', '[p:line[br:]end]'],
];

const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[x](javascript:alert(1))',
  '[x](JAVASCRIPT:alert(1))',
  '[x](data:text/html,x)',
  '[x](vbscript:x)',
  '[x](//evil.example)',
  '[x](/settings)',
  '<javascript:alert(1)>',
  '![x](javascript:alert(1))',
  '[<script>](javascript:alert(1))',
];

test('what is written becomes what it means', () => {
  for (const [text, expected] of CASES) assert.equal(markdown(text), expected, text);
});

test('hostile text stays the text that it is', () => {
  for (const text of HOSTILE) assert.equal(markdown(text), `[p:${text}]`, text);
  for (const [address, expected] of [['https://a.example/', 'https://a.example/'], ['mailto:a@b.example', 'mailto:a@b.example'],
    ['javascript:alert(1)', null], ['java\nscript:alert(1)', null], ['\u0001javascript:alert(1)', null], ['relative', null], ['', null]]) {
    assert.equal(safeAddress(address), expected, JSON.stringify(address));
  }
});

test('no text takes long', () => {
  const walls = ['*', '**', '_', '`', '[', '![', '](', '> ', '- ', '|', '~~', '<', '#', '\\', '**a', '[a](', '1. '];
  const began = performance.now();
  for (const wall of walls) {
    const text = wall.repeat(20_000);
    assert.equal(typeof markdown(text), 'string');
    assert.equal(typeof markdown(`${`${wall}\n`.repeat(3_000)}`), 'string');
  }
  assert.ok(performance.now() - began < 10_000, `${performance.now() - began} ms`);
});

test('blocks that do not change keep their source while a text grows', () => {
  const text = '# Head\n\nfirst\n\n- a\n- b\n\n| a |\n| --- |\n| 1 |\n\nlast';
  const whole = blocks(text).map((block) => block.source);
  for (let length = 1; length < text.length; length++) {
    const grown = blocks(text.slice(0, length)).map((block) => block.source);
    assert.deepEqual(grown.slice(0, -1).filter((source) => !whole.includes(source)), [], text.slice(0, length));
  }
  assert.equal(inline('a'.repeat(10)).join(''), 'aaaaaaaaaa');
});
