// What the browser tests stand on: a server of their own on a free port, Chromium, and people who are registered.

import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
/** Where screenshots go; nothing of it is kept in git. */
export const artifacts = join(root, 'target', 'console-test');
export const orders = join(root, 'examples', 'data', 'orders.csv');
export const procedure = join(root, 'examples', 'data', 'returns_procedure.md');

export const PASSWORD = 'a long pass phrase';
/** How long a page may take for anything that a test waits for. */
const PATIENCE_MS = 15_000;

/** Answers are paced so that there is a middle of them. */
export const SETTINGS = { SYMPHAINY__AGENTS__BUILTIN__PACE: '25ms', SYMPHAINY__LIMITS__MESSAGES: '10000/1s' };

export const CHROMIUM = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

/** The browser of this machine, or nothing. */
export function findChromium() {
  const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  return places.find((place) => place && existsSync(place));
}

let people = 0;

/** One test: a browser context of its own, and what it saw that it should not have seen. */
export class Stage {
  constructor(browser, server, name) {
    Object.assign(this, { browser, server, name, contexts: [], complaints: [] });
  }

  get base() {
    return this.server.address;
  }

  /** A page of somebody who is not signed in. */
  async page(options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
    this.contexts.push(context);
    return this.pageIn(context);
  }

  async pageIn(context) {
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('pageerror', (error) => this.complaints.push(`an error was thrown: ${error.stack ?? error.message}`));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      // A browser writes down each answer that is no success; those that a page asks for on purpose are its own matter.
      if (!/Failed to load resource|WebSocket connection/.test(message.text())) this.complaints.push(`the console said: ${message.text()}`);
    });
    page.on('request', (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith('http') && url.origin !== this.base) this.complaints.push(`another host was asked: ${url.href}`);
    });
    return page;
  }

  /** A page of somebody who has just registered, by the way that people take. */
  async person(options) {
    const page = await this.page(options);
    await page.goto(`${this.base}/`);
    await page.getByRole('button', { name: 'Make an account' }).click();
    await page.getByLabel('Your name').fill('Ada Lovelace');
    page.address = `ada.${people++}@example.com`;
    await page.getByLabel('E-mail address').fill(page.address);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Register' }).click();
    await page.locator('#message').waitFor();
    return page;
  }

  async shot(page, name) {
    mkdirSync(artifacts, { recursive: true });
    await page.screenshot({ path: join(artifacts, `${name}.png`) });
  }

  async close() {
    await Promise.all(this.contexts.map((context) => context.close()));
  }
}

/** Says something and, where wanted, waits until it is answered. */
export async function say(page, text, { isAwaited = true } = {}) {
  const before = await page.locator('.answer-foot').count();
  await page.locator('#message').fill(text);
  await page.keyboard.press('Enter');
  if (isAwaited) await page.locator('.answer-foot').nth(before).waitFor();
}

/** Waits until this stands where one writes. */
export async function written(page, text) {
  await page.waitForFunction((text) => document.getElementById('message')?.value === text, text);
}

export async function upload(page, ...files) {
  await page.locator('.composer input[type=file]').setInputFiles(files);
  await page.locator('.upload-ready').nth(files.length - 1).waitFor();
}
