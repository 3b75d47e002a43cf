// What one settles for oneself and for one's tenant: the second factor, keys for programs, members.

import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PASSWORD } from './harness.mjs';

/** The code of an authenticator now (RFC 6238: SHA-1, six digits, thirty seconds). */
function codeOf(secret, at = Date.now()) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...secret.replaceAll(' ', '')].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const digest = createHmac('sha1', key).update(counter).digest();
  const offset = digest[19] & 15;
  return String((digest.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

const card = (page, heading) => page.locator('section.card', { has: page.getByRole('heading', { name: heading, exact: true }) });

/** The token of the newest letter to somebody, which lies in a file where no server of mail is named. */
async function tokenFor(stage, address, purpose) {
  const folder = join(stage.server.folder, 'data', 'mail');
  for (let tries = 0; tries < 100; tries++) {
    const letters = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.eml')).toSorted().toReversed() : [];
    const texts = letters.map((name) => readFileSync(join(folder, name), 'utf8')).filter((text) => text.includes(address) && text.includes(purpose));
    const token = /^(symm?_\S+|sym[a-z]_\S+)\s*$/m.exec(texts[0] ?? '')?.[1];
    if (token) return token;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`no letter to ${address} came`);
}

export const tests = {
  async 'a forgotten password is set anew by a letter'(stage) {
    const { address } = await stage.person();
    const page = await stage.page();
    await page.goto(`${stage.base}/`);
    await page.getByRole('button', { name: 'You have forgotten your password?' }).click();
    await page.getByLabel('E-mail address').fill(address);
    await page.getByRole('button', { name: 'Send me a letter' }).click();
    await page.getByText('a letter is on its way there').waitFor();
    await stage.shot(page, 'letter-promised');
    const token = await tokenFor(stage, address, 'Set a new password');
    await page.goto(`${stage.base}/mail/reset#${token}`);
    await page.getByLabel('The new password').fill('yet another pass phrase');
    assert.equal(new URL(page.url()).hash, '', 'the token is not left in the address');
    await stage.shot(page, 'reset');
    await page.getByRole('button', { name: 'Set it' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('E-mail address').fill(address);
    await page.getByLabel('Password').fill('yet another pass phrase');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#message').waitFor();
    // It works once.
    await page.goto(`${stage.base}/mail/reset#${token}`);
    await page.getByLabel('The new password').fill('one pass phrase too many');
    await page.getByRole('button', { name: 'Set it' }).click();
    await page.getByRole('alert').waitFor();
  },

  async 'a second factor is set up, asked for and turned off'(stage) {
    const page = await stage.person();
    await page.goto(`${stage.base}/settings`);
    await card(page, 'Second factor').getByRole('button', { name: 'Set it up' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Your password').fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Go on' }).click();
    const secret = await dialog.locator('.secret').textContent();
    await dialog.getByLabel('The code').fill('000000');
    await dialog.getByRole('button', { name: 'Turn it on' }).click();
    await dialog.getByRole('alert').waitFor();
    await dialog.getByLabel('The code').fill(codeOf(secret));
    await dialog.getByRole('button', { name: 'Turn it on' }).click();
    await dialog.getByRole('heading', { name: 'The second factor is on' }).waitFor();
    const codes = await dialog.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents();
    assert.ok(codes.length >= 8, `${codes.length} recovery codes`);
    await stage.shot(page, 'recovery-codes');
    await dialog.getByRole('button', { name: 'I have them' }).click();

    const other = await stage.page();
    await other.goto(`${stage.base}/`);
    await other.getByLabel('E-mail address').fill(page.address);
    await other.getByLabel('Password').fill(PASSWORD);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.getByLabel('The code of your authenticator').waitFor();
    await stage.shot(other, 'second-factor');
    await other.getByLabel('The code of your authenticator').fill(codes[0]);
    await other.getByRole('button', { name: 'Sign in' }).click();
    await other.locator('#message').waitFor();

    await card(page, 'Second factor').getByRole('button', { name: 'Turn it off' }).click();
    await dialog.getByLabel('Your password').fill(PASSWORD);
    await dialog.getByLabel('The code').fill(codes[1]);
    await dialog.getByRole('button', { name: 'Turn it off' }).click();
    await card(page, 'Second factor').getByRole('button', { name: 'Set it up' }).waitFor();
  },

  async 'a key is made, works, and is ended'(stage) {
    const page = await stage.person();
    await page.goto(`${stage.base}/settings`);
    const keys = card(page, 'API keys');
    await keys.getByRole('button', { name: 'Make a key' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What it is for').fill('nightly import');
    await dialog.getByLabel('only this').check();
    await dialog.getByLabel('execution:read').check();
    await stage.shot(page, 'new-key');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    const key = await dialog.getByLabel('The key', { exact: true }).textContent();
    assert.match(key, /^symk_/);
    await dialog.getByRole('button', { name: 'I have it' }).click();
    const ask = (path) => fetch(`${stage.base}${path}`, { headers: { authorization: `Bearer ${key}` } });
    assert.equal((await ask('/api/executions')).status, 200);
    assert.equal((await ask('/api/audit')).status, 403);
    await keys.getByRole('button', { name: 'End the key nightly import' }).click();
    await dialog.getByRole('button', { name: 'End it' }).click();
    await keys.getByText('nightly import').waitFor({ state: 'detached' });
    assert.equal((await ask('/api/executions')).status, 401);
  },

  async 'a colleague is invited, works beside, and is removed'(stage) {
    const page = await stage.person();
    const other = await stage.person();
    await page.goto(`${stage.base}/settings`);
    await page.getByRole('button', { name: 'Invite somebody' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Their e-mail address').fill(other.address);
    await dialog.getByLabel('As what').selectOption('viewer');
    await dialog.getByRole('button', { name: 'Invite', exact: true }).click();
    const word = await dialog.getByLabel('The invitation').textContent();
    await dialog.getByRole('button', { name: 'I have it' }).click();
    await page.getByRole('list', { name: 'Invitations' }).getByText(other.address).waitFor();

    await other.goto(`${stage.base}/settings`);
    const tenants = card(other, 'Tenants');
    await tenants.getByLabel('The word of the invitation').fill('not this one');
    await tenants.getByRole('button', { name: 'Join' }).click();
    await tenants.locator('.wrong').waitFor();
    await tenants.getByLabel('The word of the invitation').fill(word);
    await tenants.getByRole('button', { name: 'Join' }).click();
    await tenants.getByRole('button', { name: 'Go there' }).click();
    await other.locator('#message').waitFor();
    await other.goto(`${stage.base}/settings`);
    await card(other, 'You').getByText('viewer', { exact: true }).waitFor();

    await page.reload();
    const members = page.getByRole('list', { name: 'Members' });
    await members.getByText(other.address).waitFor();
    await stage.shot(page, 'members');
    await members.getByRole('button', { name: /^Remove/ }).click();
    await dialog.getByRole('button', { name: 'Remove' }).click();
    await members.getByText(other.address).waitFor({ state: 'detached' });
  },
};
