import { readFile } from 'node:fs/promises';
import type { Browser, Download, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  because,
  eventually,
  register,
  signIn,
  type TestPerson,
} from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { startCommand } from '../../api/src/tools/log/cli-process.testing.js';
import { FakeWitness } from '../../api/src/units/transparency/fake-witness.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';
import { look, lookOnPhone } from './looks.testing.js';

const arabic = 'محمدعبدالرحمنالدين'.repeat(5).slice(0, 80);
let service: TestService;
let witness: FakeWitness;
let browser: Browser;
let admin: TestPerson;
let ada: TestPerson;
let tab: Tab;
let page: Page;
let keys: string[];

const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' });
const dialog = () => page.getByRole('dialog');
const inDialog = (name: string | RegExp) => dialog().getByRole('button', { name, exact: typeof name === 'string' });
const field = (name: string | RegExp) => dialog().getByRole('textbox', { name });

/** Chooses something from the menu of a message, with the keyboard. */
async function chooseFromMenu(author: string, choice: string): Promise<void> {
  await button(`More about the message by ${author}`).first().press('Enter');
  await page.getByRole('menuitem', { name: choice }).press('Enter');
  await dialog().waitFor();
}

/** What a saved file holds, once the command line has said that it holds. */
async function checked(download: Promise<Download>): Promise<string> {
  const path = await (await download).path();
  const { code, printed } = await startCommand(['audit', 'check', path, ...keys.flatMap((key) => ['--key', key])])
    .ended;
  expect([code, printed]).toEqual([0, expect.stringMatching(/^It holds/)]);
  return readFile(path, 'utf8');
}

/** Fills in why something is to be erased. */
async function fillIn({ typed, reason }: { typed: string; reason: string }): Promise<void> {
  await dialog().getByRole('combobox', { name: 'Ground' }).click();
  await page.getByRole('option', { name: 'The person objects' }).click();
  await field(/^Reason/).fill(reason);
  await field(/to confirm$/).fill(typed);
}

describe.skipIf(!browserProgram)('evidence', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    witness = await FakeWitness.start('good.witness.example');
    const environment = {
      ...{ AUDIT_LOG_ORIGIN: 'chat.example/log', AUDIT_WITNESSES: witness.setting, AUDIT_QUORUM: '1' },
    };
    [service, browser] = await Promise.all([startTestService({ environment }), openBrowser()]);
    [admin, ada] = [await signIn(service.url), await register(service.url)];
    keys = (await (await fetch(`${service.url}/audit/log/keys`)).text()).trim().split('\n');
    tab = await Tab.open(browser, service.url, { reducedMotion: 'reduce', acceptDownloads: true });
    page = tab.page;
    await tab.goTo('/');
    await tab.signIn(administrator);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    witness?.stop();
  });
  afterEach(() => {
    expect(tab.complaints).toEqual([]);
  });

  describe('the proof of a message', () => {
    it('is copied and saved by somebody from outside, who says why', async () => {
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
      const bob = await register(service.url);
      await bob.patch('/v1/me', { displayName: arabic });
      const room = await ada.roomWith([bob], { name: arabic });
      await bob.says(room, 'שלום, ich schulde dir fünf Euro');
      await tab.goTo(`/rooms/${room}/show/messages`);
      await page.getByRole('textbox', { name: 'Reason' }).fill('Revision');
      await button('Read room').click();
      await chooseFromMenu(arabic, 'Copy proof');
      await field('Reason').fill('Case 12');
      await look(tab, 'proof-reason');
      await page.keyboard.press('Enter');
      await dialog()
        .getByText(/The proof is ready/)
        .waitFor();
      await look(tab, 'proof');
      await lookOnPhone(tab, 'proof');

      await inDialog('Copy: Proof').press('Enter');
      await page.getByText('Copied', { exact: true }).waitFor();
      const copied = await page.evaluate<string>('navigator.clipboard.readText()');
      const download = page.waitForEvent('download');
      await inDialog('Save as file: Proof').click();
      expect(await checked(download)).toBe(copied);
      await inDialog('Close').click();
      await dialog().waitFor({ state: 'hidden' });
      const { items } = (await admin.get(`/v1/audit?action=RoomInspected&room=${room}`)).body;
      expect(items.filter(({ detail }: { detail: string }) => detail === 'proof')).toMatchObject([
        { reason: 'Case 12' },
      ]);
    });

    it('of a room one is in takes no reason, and can be copied by hand where the browser forbids it', async () => {
      const room = await ada.room();
      await ada.post(`/v1/rooms/${room}/members`, { userId: admin.id });
      await ada.says(room, 'hello');
      await page.evaluate("navigator.clipboard.writeText = () => Promise.reject(new Error('denied'))");
      await page.evaluate(`location.hash = '/rooms/${room}/show/messages'`);
      await chooseFromMenu(ada.username, 'Copy proof');
      await dialog()
        .getByText(/The proof is ready/)
        .waitFor();
      await inDialog('Copy: Proof').press('Enter');
      await page.getByText(/did not allow copying/).waitFor();
      const selected = await page.evaluate<string>(
        '(({ value, selectionStart, selectionEnd }) => value.slice(selectionStart, selectionEnd))(document.activeElement)',
      );
      expect(JSON.parse(selected)).toHaveProperty('envelope');
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'hidden' });
    });

    it('is there in the replay too, for the text as it was posted', async () => {
      const room = await ada.room();
      await ada.post(`/v1/rooms/${room}/members`, { userId: admin.id });
      const { id, revision } = await ada.says(room, 'before');
      await ada.patch(`/v1/rooms/${room}/messages/${id}`, { text: 'after' });
      await tab.goTo(`/rooms/${room}/show/replay`);
      await page.getByText(/^Event 0 of /).waitFor();
      const messages = page.getByRole('region', { name: 'Messages' });
      while (!(await messages.getByText('before').count())) {
        await button('One event on').click();
        await page.waitForTimeout(200);
      }
      await button(`Copy the proof of the message by ${ada.username}`).press('Enter');
      await dialog().getByText(`The proof is ready: event ${revision} of the room`, { exact: false }).waitFor();
      await tab.screenshot('proof-replay');
      await page.keyboard.press('Escape');
    });
  });

  describe('an erasure', () => {
    it('of a message is asked for in its menu, can be cancelled, and ends with a certificate that holds', async () => {
      const room = await ada.room({ name: 'Kontor' });
      await ada.post(`/v1/rooms/${room}/members`, { userId: admin.id });
      await ada.says(room, 'to be forgotten');
      await tab.goTo(`/rooms/${room}/show/messages`);
      await chooseFromMenu(ada.username, 'Erase message …');
      await look(tab, 'erase-message');
      await inDialog('Cancel').click();
      await dialog().waitFor({ state: 'hidden' });
      await chooseFromMenu(ada.username, 'Erase message …');
      expect(await inDialog('Erase for good').isDisabled()).toBe(true);
      await fillIn({ typed: 'erase', reason: 'Letter 3' });
      await inDialog('Erase for good').click();
      await page.getByText('It is erased.').waitFor();
      await page.getByRole('link', { name: 'Kontor' }).waitFor();
      await look(tab, 'erasure-done');
      await lookOnPhone(tab, 'erasure-done');
      const download = page.waitForEvent('download');
      await button('Save as file: Certificate').click();
      expect(await checked(download)).toContain('"ground":"objection"');
      expect(await page.title()).toBe('Erasure · Verbatim');
    });

    it('of a person is held up by a hold, which its page names, and goes on once that is lifted', async () => {
      const eve = await register(service.url);
      await eve.patch('/v1/me', { displayName: arabic });
      const room = await ada.roomWith([eve], { name: 'Lager' });
      await eve.says(room, 'evidence');
      await tab.goTo('/holds');
      await page.getByText('There are no legal holds.').waitFor();
      await button('Place hold').press('Enter');
      await dialog().getByRole('radio', { name: 'Room', exact: true }).check();
      await dialog().getByRole('combobox', { name: 'Room' }).fill('Lag');
      await page.getByRole('option', { name: 'Lager' }).click();
      await field('Reason').fill('Aktenzeichen 7');
      await look(tab, 'hold-dialog');
      await inDialog('Place hold').click();
      await page.getByRole('row', { name: /Lager.*Aktenzeichen 7/ }).waitFor();
      await look(tab, 'holds');
      await lookOnPhone(tab, 'holds');

      await tab.goTo(`/users/${eve.id}/show`);
      await button('Erase person').click();
      await dialog().getByText(`The username ${eve.username}`, { exact: false }).waitFor();
      await fillIn({ typed: eve.username, reason: 'Letter 4' });
      await look(tab, 'erase-person');
      await inDialog('Erase for good').click();
      await page.getByText('A legal hold forbids it.', { exact: false }).waitFor();
      await page.getByRole('alert').getByText('Aktenzeichen 7').waitFor();
      await look(tab, 'erasure-held');
      expect((await ada.get(`/v1/rooms/${room}/messages`)).body.items[0].text).toBe('evidence');

      await page.getByRole('alert').getByRole('link', { name: 'Legal holds' }).click();
      await button('Lift').click();
      expect(await inDialog('Lift').isDisabled()).toBe(true);
      await field(/to confirm$/).fill('lift');
      await look(tab, 'hold-lift');
      await inDialog('Lift').click();
      await page.getByText('There are no legal holds.').waitFor();
      await tab.goTo('/erasures');
      const row = page.getByRole('row', { name: /Person/ });
      await row.getByText('Done').or(button('Show changes')).first().waitFor();
      await row.getByText('Done').waitFor();
      await look(tab, 'erasures');
      await lookOnPhone(tab, 'erasures');
      expect((await ada.get(`/v1/rooms/${room}/messages`)).body.items[0].text).toBe(null);
    });

    it('of days takes days that are over, and one of a room its name', async () => {
      const room = await ada.room({ name: arabic.slice(1) });
      await tab.goTo(`/rooms/${room}/show`);
      await button('Erase').press('Enter');
      await page.getByRole('menuitem', { name: 'Days of the room …' }).press('Enter');
      const today = new Date().toISOString().slice(0, 10);
      await dialog().getByLabel('First day (UTC)').fill('2026-01-01');
      await dialog().getByLabel('Last day (UTC)').fill(today);
      await dialog().getByText('The last day must be over (UTC).').waitFor();
      await fillIn({ typed: arabic.slice(1), reason: 'Letter 5' });
      expect(await inDialog('Erase for good').isDisabled()).toBe(true);
      await dialog().getByLabel('Last day (UTC)').fill('2025-12-31');
      await dialog().getByText('The last day is before the first.').waitFor();
      await dialog().getByLabel('Last day (UTC)').fill('2026-01-31');
      await look(tab, 'erase-days');
      await inDialog('Erase for good').click();
      await page.getByText('It is erased.').waitFor();
      await page.getByText(/1 Jan 2026 to 31 Jan 2026/).waitFor();

      await tab.goTo(`/rooms/${room}/show`);
      await button('Erase').press('Enter');
      await page.getByRole('menuitem', { name: 'The whole room …' }).press('Enter');
      await fillIn({ typed: arabic.slice(1), reason: 'Letter 6' });
      await look(tab, 'erase-room');
      await inDialog('Erase for good').click();
      await page.getByText('It is erased.').waitFor();
      await eventually(
        async () => (await ada.get(`/v1/rooms/${room}`)).body.status,
        (status) => status === 'closed',
      );
    });

    it('that is refused says why, in the language of the person', async () => {
      const other = await register(service.url);
      await admin.patch(`/v1/users/${other.id}`, { role: 'admin' });
      const german = await Tab.open(browser, service.url, { locale: 'de-DE' });
      await german.goTo(`/users/${other.id}/show`);
      await german.signIn(administrator);
      await german.page.getByRole('button', { name: 'Person löschen' }).click();
      const asked = german.page.getByRole('dialog');
      await asked.getByRole('combobox', { name: 'Rechtsgrund' }).click();
      await german.page.getByRole('option', { name: 'Widerspruch der Person' }).click();
      await asked.getByRole('textbox', { name: 'Grund' }).fill('Brief');
      await asked.getByRole('textbox', { name: /bestätigen|ein/ }).fill(other.username);
      await asked.getByRole('button', { name: 'Endgültig löschen' }).click();
      await asked.getByText(/Entziehen Sie zuerst die Rolle/).waitFor();
      await german.screenshot('erase-refused-german');
      expect(german.complaints).toEqual([]);
      await german.close();
    });
  });

  it('the page of the log shows how far it is signed, by whom, and what to keep', async () => {
    await tab.goTo('/transparency');
    await page.getByText('chat.example/log', { exact: true }).waitFor();
    await page.getByText('1 of 1 witnesses').waitFor();
    await page.getByRole('row', { name: /good\.witness\.example.*ago/ }).waitFor();
    await look(tab, 'log');
    await lookOnPhone(tab, 'log');
    const note = page.getByRole('textbox', { name: 'Newest checkpoint' });
    expect(await note.inputValue()).toMatch(/^chat\.example\/log\n\d+\n.*\n\n— chat\.example\/log .*\n— good\.witness/);
    expect((await page.getByRole('textbox', { name: 'Verifier keys' }).inputValue()).trim().split('\n')).toEqual(keys);
    expect(await page.getByRole('textbox', { name: 'Command' }).inputValue()).toContain(`--key '${keys[0]}'`);
    expect(await page.title()).toBe('Transparency log · Verbatim');
  });

  it('auditors see all of it, and nothing to change', async () => {
    const auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    const { body: hold } = await admin.post('/v1/holds', { person: ada.id, reason: 'Case 14' });
    const room = await ada.room();
    await ada.says(room, 'here');
    const { body: held } = await admin.post('/v1/erasures', { person: ada.id, ground: 'other', reason: 'Letter 9' });
    const other = await Tab.open(browser, service.url);
    const shows = async (place: string, text: string | RegExp) => {
      await other.goTo(place);
      await other.page.locator('#main-content').getByText(text).first().waitFor();
    };
    await other.goTo('/holds');
    await other.signIn({ username: auditor.username, password: 'correct horse' });
    await shows('/holds', 'Case 14');
    await shows('/erasures', 'On hold');
    await shows(`/erasures/${held.id}/show`, 'A legal hold forbids it.');
    await shows('/transparency', 'chat.example/log');
    await shows(`/users/${ada.id}/show`, ada.username);
    expect(await other.page.getByRole('button', { name: /^(Erase|Place hold|Lift)/ }).count()).toBe(0);
    await shows('/erasures/01985f6e-7a2c-7000-8000-00000000dead/show', 'There is no such erasure.');
    await other.goTo(`/rooms/${room}/show/messages`);
    await other.page.getByRole('textbox', { name: 'Reason' }).fill('Revision');
    await other.page.getByRole('button', { name: 'Read room' }).click();
    await other.page.getByRole('button', { name: /^More about the message/ }).click();
    expect(await other.page.getByRole('menuitem').allTextContents()).toEqual(['Copy proof']);
    expect(other.complaints).toEqual([]);
    await other.close();
    await admin.delete(`/v1/holds/${hold.id}`);
    expect((await admin.get(`/v1/rooms/${room}/messages`, because())).status).toBe(200);
  });
});
