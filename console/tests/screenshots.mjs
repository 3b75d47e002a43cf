// The pictures of the README, taken from the real thing: `node console/tests/screenshots.mjs` writes them into docs/console.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { Server } from '../../clients/typescript/tests/server.mjs';
import { CHROMIUM, SETTINGS, Stage, findChromium, orders, procedure, root, say, upload } from './harness.mjs';

const folder = join(root, 'docs', 'console');
const QUALITY = 78;
const SIZE = { width: 1280, height: 880 };
const TALL = { width: 1280, height: 1060 };

/** WebP, which Playwright does not write by itself. */
async function picture(page, name) {
  await page.locator('#message').evaluate((area) => area.blur()).catch(() => {});
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality: QUALITY });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.webp`), Buffer.from(data, 'base64'));
  console.log(`${name}.webp  ${Math.round(data.length * 0.75 / 1024)} KiB`);
}

const server = await new Server(SETTINGS).start();
const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM });
const stage = new Stage(browser, server, 'pictures');
try {
  const page = await stage.person({ viewport: TALL });
  await upload(page, orders, procedure);
  await say(page, 'make a workflow from returns_procedure.md');
  await say(page, 'how good is orders.csv?');
  await page.locator('.made .score-value').waitFor();
  await picture(page, 'conversation');
  await page.setViewportSize(SIZE);
  await page.goto(`${stage.base}/files`);
  await page.getByRole('link', { name: 'Returning an order', exact: true }).click();
  await page.getByRole('heading', { name: 'Lineage' }).waitFor();
  await picture(page, 'lineage');

  const other = await stage.person({ viewport: SIZE, colorScheme: 'dark' });
  await upload(other, orders);
  await say(other, 'average total by city');
  await other.locator('.made .bars').waitFor();
  await say(other, 'delete orders.csv', { isAwaited: false });
  await other.locator('.approval-pending').waitFor();
  await other.locator('.held').waitFor();
  await picture(other, 'approval');
} finally {
  await stage.close();
  await browser.close();
  await server.stop();
}
