// What axe-core finds on each page, in light and in the dark.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { orders, procedure, say, upload } from './harness.mjs';

const source = () => readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const PLACES = ['/', '/conversations', '/files', '/executions', '/approvals', '/agents', '/settings', '/overview'];

/** Nothing serious or critical, and what there is else is told. */
async function assertAccessible(page, where) {
  const { violations } = await page.evaluate((rules) => window.axe.run(document, { runOnly: rules, resultTypes: ['violations'] }), RULES);
  const bad = violations.filter(({ impact }) => ['serious', 'critical'].includes(impact));
  const told = bad.map(({ id, help, nodes }) => `${id}: ${help}\n${nodes.slice(0, 4).map((node) => `  ${node.target}: ${node.failureSummary}`).join('\n')}`);
  assert.equal(told.length, 0, `${where}\n${told.join('\n')}`);
}

async function everywhere(stage, colorScheme) {
  // Playwright's scripts go past the page's policy, so that axe can be brought in.
  const script = source();
  const page = await stage.page({ colorScheme, bypassCSP: true, reducedMotion: 'reduce' });
  await page.addInitScript({ content: script });
  await page.goto(`${stage.base}/sign-in`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await assertAccessible(page, 'sign-in');
  await page.getByRole('button', { name: 'Make an account' }).click();
  await page.getByLabel('Your name').fill('Ada');
  await page.getByLabel('E-mail address').fill(`ada.${colorScheme}.${Date.now()}@example.com`);
  await page.getByLabel('Password').fill('a long pass phrase');
  await page.getByRole('button', { name: 'Register' }).click();
  await page.locator('#message').waitFor();
  await upload(page, orders, procedure);
  await say(page, 'average total by city');
  await say(page, 'make a workflow from returns_procedure.md');
  await page.locator('.diagram').waitFor();
  await say(page, 'delete orders.csv', { isAwaited: false });
  await page.locator('.approval-pending').waitFor();
  await page.locator('.tool > details > summary').last().click();
  await assertAccessible(page, `the conversation, ${colorScheme}`);
  const conversation = page.url();
  for (const place of PLACES) {
    await page.goto(stage.base + place);
    await page.locator('.side').waitFor();
    await page.locator('main h1').first().waitFor({ state: 'attached' });
    await page.locator('main .busy').first().waitFor({ state: 'detached' });
    await assertAccessible(page, `${place}, ${colorScheme}`);
    if (colorScheme === 'light') await stage.shot(page, `page${place.replace('/', '-')}`);
  }
  await page.goto(`${stage.base}/files`);
  await page.getByRole('link', { name: 'Returning an order', exact: true }).click();
  await page.getByRole('heading', { name: 'Lineage' }).waitFor();
  await assertAccessible(page, `a file, ${colorScheme}`);
  await page.goto(conversation);
  await page.getByRole('link', { name: 'How it came about' }).first().click();
  await page.locator('.event').first().waitFor();
  await assertAccessible(page, `an execution, ${colorScheme}`);
}

export const tests = {
  'axe finds nothing serious in light': (stage) => everywhere(stage, 'light'),
  'axe finds nothing serious in the dark': (stage) => everywhere(stage, 'dark'),
};
