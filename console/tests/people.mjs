// Different people and machines: the keyboard alone, a narrow screen, the dark, little motion.

import assert from 'node:assert/strict';
import { orders, say, upload, written } from './harness.mjs';

/** Presses Tab until the element that has the focus fits. */
async function tabTo(page, fits, most = 60) {
  for (let step = 0; step < most; step++) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(fits)) return;
  }
  throw new Error(`Tab did not come to it within ${most} steps: ${fits}`);
}

export const tests = {
  async 'everything can be done with the keyboard alone'(stage) {
    const page = await stage.page();
    await page.goto(`${stage.base}/`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await tabTo(page, () => document.activeElement.textContent === 'Make an account');
    await page.keyboard.press('Enter');
    await tabTo(page, () => document.activeElement.name === 'name');
    await page.keyboard.type('Grace');
    await page.keyboard.press('Tab');
    await page.keyboard.type(`grace.${Date.now()}@example.com`);
    await page.keyboard.press('Tab');
    await page.keyboard.type('a long pass phrase');
    await page.keyboard.press('Enter');
    await page.locator('#message').waitFor();
    await page.waitForFunction(() => document.activeElement.id === 'message');
    await page.keyboard.type('which files are there?');
    await page.keyboard.press('Enter');
    await page.locator('.answer-foot').waitFor();
    // The focus is seen wherever it goes.
    await tabTo(page, () => document.activeElement.matches('a[href="/files"]'));
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(outline, 'solid');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Files', exact: true }).waitFor();
    await page.waitForFunction(() => document.activeElement.tagName === 'H1');
    await page.goBack();
    await page.locator('.answer-foot').waitFor();
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press('/');
    await page.waitForFunction(() => document.activeElement.id === 'message');
    await page.keyboard.press('ArrowUp');
    await written(page, 'which files are there?');
    await page.locator('#message').fill('');
    await tabTo(page, () => document.activeElement.getAttribute('aria-label') === 'What can be done with this conversation');
    await page.keyboard.press('Enter');
    await page.keyboard.press('ArrowUp');
    await page.waitForFunction(() => document.activeElement.textContent === 'Delete');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => document.activeElement.getAttribute('aria-expanded') === 'false');
  },

  async 'a narrow screen shows all of it'(stage) {
    const page = await stage.person({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    await stage.shot(page, 'narrow-welcome');
    await upload(page, orders);
    await say(page, 'profile orders.csv');
    await say(page, 'average total by city');
    await page.locator('.made .bars').waitFor();
    await stage.shot(page, 'narrow-conversation');
    const places = ['/conversations', '/files', '/executions', '/approvals', '/agents', '/settings', '/overview'];
    for (const place of places) {
      await page.getByRole('button', { name: 'Menu' }).click();
      if (place === '/conversations') await stage.shot(page, 'narrow-menu');
      await page.locator(`.places a[href="${place}"]`).click();
      await page.locator('.page h1').waitFor();
      await page.locator('.page .busy').first().waitFor({ state: 'detached' });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(over <= 0, `${place} is ${over} pixels too wide`);
    }
  },

  async 'the dark and little motion are respected'(stage) {
    const page = await stage.person({ colorScheme: 'dark', reducedMotion: 'reduce' });
    await upload(page, orders);
    await say(page, 'how good is orders.csv?');
    await page.locator('.made .score-value').waitFor();
    await stage.shot(page, 'dark');
    const [ground, ink] = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]);
    const light = (color) => color.match(/\d+/g).map(Number).reduce((sum, part) => sum + part, 0);
    assert.ok(light(ground) < 150 && light(ink) > 500, `${ground} and ${ink}`);
    const duration = await page.evaluate(() => getComputedStyle(document.querySelector('.button')).transitionDuration);
    assert.ok(Number.parseFloat(duration) < 0.01, duration);
  },
};
