// What happens to the connection: a reload in the middle, two tabs, a network that goes, a server that is killed.

import assert from 'node:assert/strict';
import { orders, say, upload } from './harness.mjs';

/** The answer of a conversation as the server keeps it. */
async function kept(page) {
  const id = page.url().split('/').at(-1);
  const conversation = await page.evaluate(async (id) => (await fetch(`/api/conversations/${id}`)).json(), id);
  return conversation.messages.filter((message) => message.role === 'assistant').at(-1).content;
}

/** What is shown of a text, without its signs and spaces: comparable with Markdown. */
const letters = (text) => text.replaceAll(/[^\p{L}\p{N}]+/gu, '').replaceAll(/^\d+/gm, '');

async function assertWhole(page) {
  const shown = letters(await page.locator('.said-by').last().textContent());
  const said = letters((await kept(page)).replaceAll(/^\d+\. /gm, ''));
  assert.equal(shown, said, 'the answer has no hole and nothing twice');
}

export const tests = {
  async 'a reload in the middle of an answer goes on with it'(stage) {
    const page = await stage.person();
    await upload(page, orders);
    await say(page, 'how good is orders.csv?', { isAwaited: false });
    await page.locator('.streaming').waitFor();
    await page.reload();
    await page.locator('.streaming').waitFor();
    await page.locator('.answer-foot').waitFor();
    assert.equal(await page.locator('.said').count(), 1);
    await assertWhole(page);
  },

  async 'two tabs are in step'(stage) {
    const one = await stage.person();
    await say(one, 'which files are there?');
    const other = await stage.pageIn(one.context());
    await other.goto(one.url());
    await other.locator('.answer-foot').waitFor();
    await say(one, 'what can I do here?', { isAwaited: false });
    await other.locator('.said-text').nth(1).waitFor();
    await other.locator('.answer-foot').nth(1).waitFor();
    await one.locator('.answer-foot').nth(1).waitFor();
    assert.equal(await other.locator('.said-by').last().textContent(), await one.locator('.said-by').last().textContent());
    await say(other, 'which files are there?');
    await one.locator('.answer-foot').nth(2).waitFor();
    // Whoever signs out in one tab is out in the other.
    await one.getByRole('button', { name: 'Sign out' }).click();
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  },

  'a server that is killed in the middle is waited for': Object.assign(async (stage) => {
    const page = await stage.person();
    await upload(page, orders);
    await say(page, 'how good is orders.csv?', { isAwaited: false });
    await page.locator('.streaming').waitFor();
    await stage.server.kill();
    await page.getByText('The connection is lost.').waitFor();
    await stage.shot(page, 'connection-lost');
    await page.locator('#message').fill('what can I do here?');
    await page.keyboard.press('Enter');
    await page.getByText('It is sent as soon as there is a connection.').waitFor();
    await stage.server.start();
    await page.locator('.answer-foot').nth(1).waitFor();
    assert.equal(await page.locator('.said').count(), 2);
    const answers = await page.locator('.answer').count();
    assert.equal(answers, 2);
    await assertWhole(page);
  }, { ownServer: true }),

  async 'who is offline keeps writing, and is sent when the network is back'(stage) {
    const page = await stage.person();
    await say(page, 'which files are there?');
    const context = page.context();
    await context.setOffline(true);
    await page.evaluate(() => window.dispatchEvent(new Event('offline')));
    await page.locator('#message').fill('what can I do here?');
    await page.keyboard.press('Enter');
    await context.setOffline(false);
    await page.locator('.answer-foot').nth(1).waitFor();
    assert.equal(await page.locator('.said').count(), 2);
  },

  async 'tokens that come fast are drawn without falling behind'(stage) {
    const page = await stage.person();
    await upload(page, orders);
    await page.evaluate(() => {
      window.longest = 0;
      new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.longest = Math.max(window.longest, entry.duration)))).observe({ type: 'longtask' });
    });
    await say(page, 'profile orders.csv');
    assert.ok((await page.evaluate(() => window.longest)) < 250, 'no piece of work holds the page up');
  },
};
