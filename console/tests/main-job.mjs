// The main job, as a person does it: sign up, bring a file, ask, see who answers and why, agree or refuse, stop.

import assert from 'node:assert/strict';
import { PASSWORD, orders, procedure, say, upload, written } from './harness.mjs';

export const tests = {
  async 'the main job is done without reading anything'(stage) {
    const page = await stage.person();
    await stage.shot(page, 'welcome');
    await upload(page, orders, procedure);
    await page.getByRole('button', { name: 'how good is orders.csv?' }).first().click();
    await page.locator('.streaming').waitFor();
    await page.locator('.answer-foot').waitFor();
    assert.match(page.url(), /\/conversations\/conv_[0-9a-f]{32}$/);
    assert.equal(await page.locator('.voice-name').last().textContent(), 'Insights');
    assert.match(await page.locator('.voice-head').last().textContent(), /took over from Guide/);
    await page.getByRole('button', { name: 'why?' }).last().click();
    assert.match(await page.locator('.why-text').textContent(), /work of this realm/);
    assert.match(await page.locator('.tool-state').first().textContent(), /done/);
    await page.locator('.made .score-value').waitFor();
    await stage.shot(page, 'answer');

    await say(page, 'average total by city');
    await page.locator('.made .bars li').nth(5).waitFor();
    assert.ok((await page.locator('.prose table tbody tr').count()) >= 10, 'the table of the answer is there');
    await stage.shot(page, 'chart');
    await say(page, 'make a workflow from returns_procedure.md');
    await page.locator('.diagram .node').nth(10).waitFor();

    // The execution behind the last answer, and from it the lineage of what it made.
    await page.getByRole('link', { name: 'How it came about' }).last().click();
    await page.locator('.events .event').nth(5).waitFor();
    await stage.shot(page, 'execution');
    await page.getByRole('link', { name: 'Files', exact: true }).first().click();
    await page.getByRole('link', { name: 'Returning an order', exact: true }).click();
    await page.getByRole('heading', { name: 'Lineage' }).waitFor();
    assert.ok((await page.locator('.section .node').count()) >= 3);
    await stage.shot(page, 'file');
  },

  async 'what needs a word waits for it, and is done or not'(stage) {
    const page = await stage.person();
    await upload(page, orders);
    await say(page, 'delete orders.csv', { isAwaited: false });
    const card = page.locator('.approval-pending');
    await card.waitFor();
    await card.getByText('It cannot be undone').waitFor();
    assert.match(await card.textContent(), /orders\.csv/);
    assert.doesNotMatch(await card.textContent(), /art_/, 'an id says nothing to a person');
    await page.locator('.held').waitFor();
    await stage.shot(page, 'approval');
    await card.getByRole('button', { name: 'Do not' }).click();
    await page.getByText('You said no. Nothing of it was done.').waitFor();
    await page.locator('.answer-foot').waitFor();

    // The inbox decides as well, and the conversation hears of it.
    await say(page, 'delete orders.csv', { isAwaited: false });
    await page.locator('.approval-pending').waitFor();
    const inbox = await stage.pageIn(page.context());
    await inbox.goto(`${stage.base}/approvals`);
    await inbox.locator('.approval-pending').waitFor();
    await stage.shot(inbox, 'approvals');
    await inbox.getByRole('button', { name: 'Agree' }).click();
    await inbox.getByText('Nothing waits for you.').waitFor();
    await page.getByText('You agreed.').waitFor();
    await page.locator('.answer-foot').nth(1).waitFor();
    await page.locator('.held').waitFor({ state: 'detached' });
  },

  async 'an answer is stopped, and what was said stays'(stage) {
    const page = await stage.person();
    await upload(page, orders);
    await say(page, 'how good is orders.csv?', { isAwaited: false });
    await page.locator('.streaming').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('It was stopped here.').waitFor();
    const said = await page.locator('.said-by').last().textContent();
    assert.ok(said.length > 0);
    await page.reload();
    await page.locator('.said-by').waitFor();
    assert.ok((await page.locator('.said-by').last().textContent()).startsWith(said.slice(0, 20)));
    await page.getByText('It was stopped here.').waitFor();
    await page.getByRole('button', { name: 'Ask again' }).click();
    await page.locator('.answer-foot').nth(1).waitFor();
  },

  async 'conversations are found, renamed and deleted'(stage) {
    const page = await stage.person();
    await say(page, 'what can I do here?');
    await page.getByRole('button', { name: 'What can be done with this conversation' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByLabel('Its name').fill('First steps');
    await page.getByRole('button', { name: 'Rename' }).click();
    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    await page.goto(`${stage.base}/conversations`);
    await page.getByLabel('Find by a word').fill('what can i');
    await page.getByRole('list', { name: 'Conversations' }).getByRole('link', { name: 'First steps' }).waitFor();
    await page.getByLabel('Find by a word').fill('zebra');
    await page.getByText('Nothing with that word.').waitFor();
    await page.getByLabel('Find by a word').fill('');
    await page.getByRole('button', { name: /What can be done with “First steps”/ }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await page.getByText('Nobody has said anything yet.').waitFor();
  },

  async 'a draft is kept, and what was said can be changed and said again'(stage) {
    const page = await stage.person();
    await say(page, 'what can I do here?');
    await say(page, 'which files are there?');
    await page.locator('#message').fill('a thought that is not');
    await page.reload();
    await page.locator('.said-by').first().waitFor();
    await written(page, 'a thought that is not');
    await page.locator('#message').fill('');

    // What is changed and said again begins anew from before it, and the old conversation stays as it was.
    const before = page.url();
    await page.getByRole('button', { name: 'Edit and send again' }).nth(1).click();
    await written(page, 'which files are there?');
    await page.getByText('Sent, this begins a new conversation').waitFor();
    await page.locator('#message').fill('list my workflows');
    await page.keyboard.press('Enter');
    await page.waitForFunction((before) => location.href !== before, before);
    await page.locator('.answer-foot').nth(1).waitFor();
    assert.deepEqual(await page.locator('.said-text').allTextContents(), ['what can I do here?', 'list my workflows']);
    await page.goto(before);
    await page.locator('.said-text').nth(1).waitFor();
    assert.deepEqual(await page.locator('.said-text').allTextContents(), ['what can I do here?', 'which files are there?']);

    // The first message begins anew from nothing; a whole conversation can be gone on with in a new one.
    await page.getByRole('button', { name: 'Edit and send again' }).first().click();
    await written(page, 'what can I do here?');
    await page.keyboard.press('Enter');
    await page.waitForFunction((before) => location.href !== before && location.pathname.startsWith('/conversations/'), before);
    await page.locator('.answer-foot').waitFor();
    assert.equal(await page.locator('.said-text').count(), 1);
    const alone = page.url();
    await page.getByRole('button', { name: 'What can be done with this conversation' }).click();
    await page.getByRole('menuitem', { name: 'Go on in a new one' }).click();
    await page.waitForFunction((alone) => location.href !== alone, alone);
    await page.locator('.said-text').waitFor();
  },

  async 'an agent is asked by name'(stage) {
    const page = await stage.person();
    await page.goto(`${stage.base}/agents`);
    await page.getByLabel('A message; nothing is executed').fill('how good is orders.csv?');
    await page.getByRole('button', { name: 'Find out' }).click();
    await page.getByText('Insights would answer').waitFor();
    await page.locator('.agent', { hasText: 'liaison.content' }).getByRole('link', { name: 'Talk to it' }).click();
    await say(page, 'which files are there?');
    assert.equal(await page.locator('.voice-name').last().textContent(), 'Content');
    await page.getByRole('button', { name: 'why?' }).last().click();
    assert.match(await page.locator('.why-text').textContent(), /asked for by name/);
  },

  async 'a sign-in is ended from another, and a password is changed'(stage) {
    const page = await stage.person();
    const other = await stage.page();
    const signIn = async (password) => {
      await other.getByLabel('E-mail address').fill(page.address);
      await other.getByLabel('Password').fill(password);
      await other.getByRole('button', { name: 'Sign in' }).click();
      await other.locator('#message').waitFor();
    };
    await other.goto(`${stage.base}/`);
    await signIn(PASSWORD);
    await page.goto(`${stage.base}/settings`);
    const signIns = page.getByRole('list', { name: 'Sign-ins' });
    await signIns.getByRole('button', { name: 'End it' }).click();
    await signIns.getByRole('button', { name: 'End it' }).waitFor({ state: 'detached' });
    await other.goto(`${stage.base}/`);
    await other.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByLabel('The present one').fill('not this one at all');
    await page.getByLabel('The new one').fill('quite another pass phrase');
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.locator('form [role=alert]').waitFor();
    await page.getByLabel('The present one').fill(PASSWORD);
    await page.getByRole('button', { name: 'Change it' }).click();
    await page.getByText('Your password is another one.').waitFor();
    await stage.shot(page, 'settings');
    await signIn('quite another pass phrase');
  },
};
