// Figures of the console: what it weighs, how soon a conversation is painted with an empty cache, and how a long one scrolls.
//
//   node --experimental-websocket console/tests/measure.mjs [TURNS]      default: 2500 turns, which are 5,000 messages
//
// It needs what the browser tests need. The server is one of its own; a release build gives the figures that count.

import { gzipSync } from 'node:zlib';
import { chromium } from 'playwright-core';
import { Client } from '../../clients/typescript/src/index.js';
import { Server, findBinary } from '../../clients/typescript/tests/server.mjs';
import { CHROMIUM, findChromium } from './harness.mjs';

const turns = Number(process.argv[2] ?? 2_500);
const ROUNDS = 9;
const PASSWORD = 'a long pass phrase';
const email = 'ada@example.com';

/** Notes when the first turn stands in the page, in milliseconds from the navigation. */
const NOTE = `new MutationObserver((_, self) => {
  if (!document.querySelector('.said-by')) return;
  self.disconnect();
  requestAnimationFrame(() => (window.shownAt = performance.now()));
}).observe(document, { childList: true, subtree: true });`;

const middle = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

async function weigh(base) {
  const document = await (await fetch(base)).text();
  const first = [...document.matchAll(/(?:href|src)="(\/console\/[^"]+)"/g)].map((found) => found[1]);
  const sizes = { scripts: 0, styles: 0, fonts: 0, document: gzipSync(document, { level: 9 }).length };
  for (const path of new Set(first)) {
    // Node unpacks what it fetches; the length of what travelled stands in no header, so that it is packed again as the server does.
    const bytes = Buffer.from(await (await fetch(base + path)).arrayBuffer());
    const packed = path.endsWith('.woff2') ? bytes.length : gzipSync(bytes, { level: 9 }).length;
    sizes[path.endsWith('.js') ? 'scripts' : path.endsWith('.css') ? 'styles' : path.endsWith('.woff2') ? 'fonts' : 'document'] += packed;
  }
  const all = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  console.log(`What the conversation page loads, packed: ${kib(all)}`);
  for (const [name, size] of Object.entries(sizes)) console.log(`  ${name.padEnd(10)}${kib(size).padStart(10)}`);
}

async function signedIn(browser, base, path) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const answer = await context.request.post(`${base}/api/auth/login?mode=cookie`, { data: { email, password: PASSWORD }, headers: { origin: base } });
  if (!answer.ok()) throw new Error(await answer.text());
  const page = await context.newPage();
  await page.addInitScript(NOTE);
  await page.goto(base + path);
  await page.locator('.said-by').first().waitFor();
  return { context, page };
}

async function paint(browser, base, id) {
  const [paints, shown] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    const { context, page } = await signedIn(browser, base, `/conversations/${id}`);
    await page.waitForFunction(() => window.shownAt);
    paints.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()));
    shown.push(await page.evaluate(() => window.shownAt));
    await context.close();
  }
  console.log(`With an empty cache, medians of ${ROUNDS}: first paint after ${middle(paints).toFixed(0)} ms, the conversation after ${middle(shown).toFixed(0)} ms`);
}

async function seed(client, sessionId, id, count) {
  const began = Date.now();
  let answered = 0;
  await new Promise((resolve, reject) => {
    const socket = client.converse(id, {
      sessionId,
      onRefused: ({ error }) => reject(new Error(error)),
      onEvent(event) {
        if (!['agent.completed', 'agent.failed'].includes(event.event_type)) return;
        answered++;
        if (answered < count) socket.say(answered % 5 ? 'which files are there?' : 'what can I do here?');
        else resolve(socket.close());
      },
    });
    socket.say('what can I do here?');
  });
  console.log(`${count} turns were held in ${((Date.now() - began) / 1000).toFixed(1)} s.`);
}

async function scroll(browser, base, id, count) {
  const { context, page } = await signedIn(browser, base, `/conversations/${id}`);
  // To the beginning, page by page, as somebody does who looks for the first message.
  const began = Date.now();
  for (let shown = 0; shown < count && Date.now() - began < 120_000;) {
    shown = await page.evaluate(async () => {
      document.querySelector('.timeline').scrollTop = 0;
      await new Promise((resolve) => setTimeout(resolve, 60));
      return Number(document.querySelector('.turn:last-child, .turn').getAttribute('aria-setsize')) > 0
        ? Number(document.querySelector('.turn').getAttribute('aria-setsize')) : 0;
    });
  }
  const figures = await page.evaluate(async () => {
    const frame = document.querySelector('.timeline');
    const gaps = [];
    let drawn = 0;
    let before = performance.now();
    for (let step = 0; step < 300; step++) {
      frame.scrollTop += 400;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = performance.now();
      gaps.push(now - before);
      before = now;
      drawn = Math.max(drawn, document.querySelectorAll('.turn').length);
    }
    gaps.sort((a, b) => a - b);
    return { all: frame.querySelector('.turn').getAttribute('aria-setsize'), drawn, half: gaps[150], most: gaps[285] };
  });
  console.log(`${figures.all} turns in the list, at most ${figures.drawn} drawn; while it scrolls a frame takes ${figures.half.toFixed(1)} ms, 19 of 20 less than ${figures.most.toFixed(1)} ms`);
  await context.close();
}

if (!findChromium() || !findBinary()) {
  console.log('Nothing was measured: it needs Chromium and a built server; see console/tests/run.mjs.');
  process.exit(1);
}
const server = await new Server({ SYMPHAINY__LIMITS__MESSAGES: '100000/1s' }).start();
const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM });
try {
  const client = new Client({ baseUrl: server.address });
  await client.auth.register({ name: 'Ada', email, password: PASSWORD });
  const { session } = await client.me();
  console.log(`${findBinary()}, ${new Date().toISOString()}`);
  await weigh(server.address);
  await seed(client, session.session_id, 'short', 10);
  await paint(browser, server.address, 'short');
  await seed(client, session.session_id, 'long', turns);
  await scroll(browser, server.address, 'long', turns);
} finally {
  await browser.close();
  await server.stop();
}
