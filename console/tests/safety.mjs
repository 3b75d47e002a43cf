// What somebody hostile may bring: texts that would like to be markup, links that would like to be scripts.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say, upload } from './harness.mjs';

const HOSTILE = `# <img src=x onerror="window.broken=1">

<script>window.broken = 1</script>
<iframe src="https://evil.example"></iframe>
<svg onload="window.broken=1"><a href="javascript:window.broken=1">x</a></svg>

[a](javascript:window.broken=1) [b](JaVaScRiPt:window.broken=1) [c](data:text/html,<script>window.broken=1</script>)
[d](vbscript:x) [e](//evil.example) ![f](https://evil.example/beacon.png) <javascript:window.broken=1>
[g](&#106;avascript:window.broken=1) [h](java\tscript:window.broken=1)

| <b onmouseover=window.broken=1>x</b> | \`<script>\` |
| --- | --- |
| <img src=x onerror=window.broken=1> | [y](javascript:window.broken=1) |

\`\`\`"><script>window.broken=1</script>
<script>window.broken=1</script>
\`\`\`

> > > > > > > > > > > > deep <script>window.broken=1</script>

[fine](https://example.com/a?b=c)
`;

/** What Markdown may become. */
const ALLOWED = ['A', 'BLOCKQUOTE', 'BR', 'CODE', 'DIV', 'EM', 'H3', 'H4', 'H5', 'H6', 'HR', 'LI', 'OL', 'P', 'PRE', 'S', 'STRONG', 'TABLE', 'TBODY', 'TD', 'TH', 'THEAD', 'TR', 'UL'];

async function assertHarmless(page, scope) {
  const found = await page.locator(scope).evaluateAll((roots) => roots.flatMap((root) => [...root.querySelectorAll('*')].map((element) => ({
    tag: element.tagName,
    href: element.getAttribute('href'),
    handlers: element.getAttributeNames().filter((name) => name.startsWith('on')),
  }))));
  for (const { tag, href, handlers } of found) {
    assert.ok(ALLOWED.includes(tag), `there is a ${tag}`);
    assert.deepEqual(handlers, []);
    if (href !== null) assert.match(href, /^(https?|mailto):/);
  }
  assert.equal(await page.evaluate(() => window.broken), undefined);
  return found;
}

export const tests = {
  async 'a hostile file is shown as text'(stage) {
    const page = await stage.person();
    const path = join(stage.server.folder, 'hostile.md');
    writeFileSync(path, HOSTILE);
    await upload(page, path);
    await page.getByRole('link', { name: 'hostile.md' }).click();
    await page.getByRole('heading', { name: 'The file' }).waitFor();
    const found = await assertHarmless(page, '.section .prose');
    const links = found.filter((element) => element.href);
    assert.ok(links.some((link) => link.href === 'https://example.com/a?b=c'));
    assert.ok(links.every((link) => /^https:\/\/(example\.com|evil\.example)/.test(link.href)), JSON.stringify(links));
    assert.match(await page.locator('.section .prose').textContent(), /<script>window\.broken = 1<\/script>/);
    await stage.shot(page, 'hostile');
  },

  async 'a hostile name and a hostile message are shown as text'(stage) {
    const page = await stage.person();
    const name = '<img src=x onerror=window.broken=1>.csv';
    await page.locator('.composer input[type=file]').setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from('a,b\n<script>window.broken=1</script>,=1+1\n2,3\n') });
    await page.locator('.upload-ready').waitFor();
    await say(page, `which files are there? <script>window.broken=1</script> [x](javascript:window.broken=1)`);
    await assertHarmless(page, '.said-by .prose');
    await page.goto(`${stage.base}/files`);
    await page.getByText(name).first().waitFor();
    assert.equal(await page.evaluate(() => window.broken), undefined);
  },

  async 'no script can make markup of text, and none from elsewhere runs'(stage) {
    const page = await stage.page();
    await page.goto(`${stage.base}/sign-in`);
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    const refused = await page.evaluate(() => {
      try {
        document.createElement('div').innerHTML = '<b>x</b>';
        return false;
      } catch {
        return true;
      }
    });
    assert.ok(refused, 'Trusted Types refuse innerHTML');
    const inline = await page.evaluate(() => {
      try {
        document.createElement('img').setAttribute('onerror', 'window.broken = 1');
        return false;
      } catch {
        return true;
      }
    });
    assert.ok(inline, 'and handlers that stand in markup');
    await page.evaluate(() => document.head.append(Object.assign(document.createElement('style'), { textContent: 'body { color: red }' })));
    assert.notEqual(await page.evaluate(() => getComputedStyle(document.body).color), 'rgb(255, 0, 0)');
    stage.complaints = stage.complaints.filter((complaint) => !/Content Security Policy|Trusted/i.test(complaint));
  },

  async 'a way back that an address gives does not lead out'(stage) {
    const page = await stage.page();
    for (const to of ['https://evil.example', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
      await page.goto(`${stage.base}/sign-in?to=${encodeURIComponent(to)}`);
      await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    }
    await page.getByRole('button', { name: 'Make an account' }).click();
    await page.getByLabel('Your name').fill('Eve');
    await page.getByLabel('E-mail address').fill(`eve.${Date.now()}@example.com`);
    await page.getByLabel('Password').fill('a long pass phrase');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.locator('#message').waitFor();
    assert.equal(new URL(page.url()).origin, stage.base);
  },
};
