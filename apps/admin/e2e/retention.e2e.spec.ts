import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';
import { look, lookOnPhone } from './looks.testing.js';

const DAY_MS = 86_400_000;
const arabic = 'محمدعبدالرحمنالدين'.repeat(5).slice(0, 80);
let service: TestService;
let browser: Browser;
let admin: TestPerson;
let ada: TestPerson;
let tab: Tab;
let page: Page;
/** Rooms with a text that is ten days old; one is under a hold. */
let rooms: { readonly free: string; readonly held: string; readonly rtl: string };

const button = (name: string) => page.getByRole('button', { name, exact: true });
const dialog = () => page.getByRole('dialog');
const inDialog = (name: string) => dialog().getByRole('button', { name, exact: true });
const field = (name: string | RegExp) => dialog().getByRole('textbox', { name });
const textsIn = async (room: string): Promise<(string | null)[]> =>
  (await ada.get(`/v1/rooms/${room}/messages`)).body.items.map(({ text }: { text: string | null }) => text);

describe.skipIf(!browserProgram)('retention', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    let behind = 10;
    const clock = () => new Date(Date.now() - behind * DAY_MS);
    const environment = { RETENTION_INTERVAL: '1' };
    [service, browser] = await Promise.all([startTestService({ environment, clock }), openBrowser()]);
    const before = await register(service.url);
    rooms = {
      free: await before.room({ name: 'Lager' }),
      held: await before.room({ name: 'Akte' }),
      rtl: await before.room({ name: arabic, visibility: 'hidden' }),
    };
    for (const room of Object.values(rooms)) await before.says(room, 'old');
    behind = 0;
    admin = await signIn(service.url);
    ada = await signIn(service.url, { username: before.username, password: 'correct horse' });
    await admin.post('/v1/holds', { room: rooms.held, reason: 'Aktenzeichen 7' });
    tab = await Tab.open(browser, service.url, { reducedMotion: 'reduce' });
    page = tab.page;
    await tab.goTo('/');
    await tab.signIn(administrator);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  afterEach(() => {
    expect(tab.complaints).toEqual([]);
  });

  it('of a visibility is counted first, put in force with the keyboard, and shows what is erased and what a hold keeps', async () => {
    await tab.goTo('/retention');
    await page.getByText('There are no rules: texts are kept for good.').waitFor();
    await look(tab, 'retention-none');
    await button('New rule').press('Enter');
    const all = dialog().getByRole('radio', { name: 'All rooms' });
    await all.and(page.locator(':focus')).waitFor();
    await page.keyboard.press('ArrowRight');
    await dialog().getByRole('combobox', { name: 'Visibility' }).waitFor();
    expect(await inDialog('Count what would be erased').isDisabled()).toBe(true);
    await dialog().getByRole('spinbutton', { name: 'Days' }).fill('5');
    await inDialog('Count what would be erased').press('Enter');
    await dialog()
      .getByText('Erased now: messages: 1, rooms: 1. A legal hold keeps back 1 more room.', { exact: false })
      .waitFor();
    expect(await textsIn(rooms.free)).toEqual(['old']);
    await field('Reason').fill('Policy 4');
    expect(await inDialog('Put in force').isDisabled()).toBe(true);
    await field(/to confirm$/).fill('erase');
    await look(tab, 'retention-rule');
    await page.keyboard.press('Enter');

    await page.getByRole('row', { name: /Public rooms.*5 days/ }).waitFor();
    await page.getByText(/^All rooms were searched/).waitFor();
    const kept = page.getByRole('alert').filter({ hasText: 'Legal holds keep back texts of 1 room' });
    await kept.getByText('Aktenzeichen 7').waitFor();
    await kept.getByRole('link', { name: 'Akte' }).waitFor();
    await expect.poll(() => textsIn(rooms.free), { timeout: 60_000 }).toEqual([null]);
    expect(await textsIn(rooms.held)).toEqual(['old']);
    await button('Count what would be erased').press('Enter');
    await page.getByText('Erased now: messages: 0, rooms: 0.', { exact: false }).waitFor();
    await look(tab, 'retention');
    await lookOnPhone(tab, 'retention');
    expect(await page.title()).toBe('Retention · Verbatim');
  });

  it('of one room goes before the others, is changed and is removed', async () => {
    await tab.goTo('/retention');
    await button('New rule').press('Enter');
    await dialog().getByRole('radio', { name: 'One room' }).check();
    await dialog().getByRole('combobox', { name: 'Room' }).fill(arabic.slice(0, 5));
    await page.getByRole('option', { name: arabic }).click();
    await dialog().getByRole('switch', { name: 'For good' }).press('Space');
    await field('Reason').fill('Policy 5');
    await look(tab, 'retention-rule-of-room');
    await inDialog('Put in force').click();
    const row = page.getByRole('row').filter({ hasText: arabic });
    await row.getByText('For good').waitFor();

    await row.getByRole('button', { name: 'Edit' }).press('Enter');
    await dialog().getByRole('switch', { name: 'For good' }).press('Space');
    await dialog().getByRole('spinbutton', { name: 'Days' }).fill('0');
    await field('Reason').fill('Policy 6');
    await field(/to confirm$/).fill('erase');
    expect(await inDialog('Put in force').isDisabled()).toBe(true);
    await dialog().getByRole('spinbutton', { name: 'Days' }).fill('400');
    await inDialog('Put in force').click();
    await row.getByText('400 days').waitFor();
    await lookOnPhone(tab, 'retention-rtl');

    await row.getByRole('button', { name: 'Remove' }).press('Enter');
    await field('Reason').fill('Policy 7');
    await look(tab, 'retention-remove');
    await page.keyboard.press('Enter');
    await page.getByText('The rule was removed.').waitFor();
    await row.waitFor({ state: 'hidden' });
    expect((await admin.get('/v1/retention')).body.rules).toMatchObject([{ visibility: 'public', days: 5 }]);
    expect(await textsIn(rooms.rtl)).toEqual(['old']);
  });

  it('is shown in the language of the person, and to auditors without anything to change', async () => {
    const auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    const german = await Tab.open(browser, service.url, { locale: 'de-DE' });
    await german.goTo('/retention');
    await german.signIn({ username: auditor.username, password: 'correct horse' });
    await german.goTo('/retention');
    await german.page.getByRole('row', { name: /Öffentliche Räume.*5 Tage/ }).waitFor();
    await german.page.getByText('Aktenzeichen 7').waitFor();
    await german.screenshot('retention-german');
    const main = german.page.locator('#main-content');
    expect(await main.getByRole('button', { name: /Regel|Bearbeiten|Entfernen|Zählen/ }).count()).toBe(0);
    expect(german.complaints).toEqual([]);
    await german.close();
  });
});
