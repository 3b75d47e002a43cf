// The browser tests of the console: `node console/tests/run.mjs [WORD…]` runs those whose names have one of the words.
//
// They need Debian's `chromium`, `npm ci` in this folder, and a built server (`SYMPHAINY_BIN`, or target/release, or
// target/debug). What is missing is said, and the tests are skipped then; with `--require` that is a failure.

import { rmSync } from 'node:fs';
import { Server, findBinary } from '../../clients/typescript/tests/server.mjs';
import { CHROMIUM, SETTINGS, Stage, artifacts, findChromium } from './harness.mjs';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isRequired = process.argv.includes('--require');
/** Tests that run at the same time. */
const SIDE_BY_SIDE = 3;
const TEST_MS = 60_000;

function skip(why) {
  console.log(`\nThe browser tests of the console were SKIPPED: ${why}\n`);
  process.exit(isRequired ? 1 : 0);
}

const executablePath = findChromium();
if (!executablePath) skip('there is no Chromium. Install it: `apt-get install chromium`, or name it in CHROMIUM.');
if (!findBinary()) skip('the server is not built. Build it: `cargo build`.');
const playwright = await import('playwright-core').catch(() => null);
if (!playwright) skip('playwright-core is not installed. Install it: `npm ci` in console/tests.');

const suites = await Promise.all(['main-job', 'connection', 'people', 'settings', 'safety', 'accessibility'].map((name) => import(`./${name}.mjs`)));
const tests = suites.flatMap((suite) => Object.entries(suite.tests)).filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)));

rmSync(artifacts, { recursive: true, force: true });
const began = Date.now();
const server = await new Server(SETTINGS).start();
const browser = await playwright.chromium.launch({ executablePath, args: CHROMIUM });
let failed = 0;

async function run([name, test]) {
  // Who takes the server down needs one of their own.
  const own = test.ownServer ? await new Server(SETTINGS).start() : server;
  const stage = new Stage(browser, own, name);
  const start = Date.now();
  let problem = null;
  try {
    await Promise.race([test(stage), new Promise((_, reject) => setTimeout(() => reject(new Error('it took too long')), TEST_MS).unref())]);
    if (stage.complaints.length > 0) throw new Error(stage.complaints.join('\n'));
  } catch (error) {
    problem = error;
    failed++;
    const pages = stage.contexts.flatMap((context) => context.pages());
    await Promise.all(pages.map((page, index) => stage.shot(page, `failed-${name.replaceAll(/\W+/g, '-')}-${index}`).catch(() => {})));
  }
  await stage.close();
  if (own !== server) await own.stop();
  console.log(`${problem ? 'not ok' : 'ok'} - ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  if (problem) console.log(`    ${String(problem.stack ?? problem).replaceAll('\n', '\n    ')}`);
}

const open = [...tests];
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
  while (open.length > 0) await run(open.shift());
}));
await browser.close();
await server.stop();
console.log(`\n${tests.length - failed} of ${tests.length} browser tests passed in ${((Date.now() - began) / 1000).toFixed(1)} s; screenshots are in target/console-test.`);
process.exit(failed > 0 ? 1 : 0);
