import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { because, register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let service: TestService;
let browser: Browser;
let admin: TestPerson;
let ada: TestPerson;
let bob: TestPerson;
let tab: Tab;
let page: Page;

const button = (name: string | RegExp) => page.getByRole('button', { name });
const place = (revision: number) => page.getByText(new RegExp(`^Event ${revision} of `)).waitFor();

describe.skipIf(!browserProgram)('overseeing', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
    [admin, ada, bob] = [await signIn(service.url), await register(service.url), await register(service.url)];
    tab = await Tab.open(browser, service.url);
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

  it('the audit trail shows who did what to whom and why, and can be narrowed down', async () => {
    const room = await ada.roomWith([bob], { name: 'Kontor' });
    await admin.get(`/v1/rooms/${room}/messages`, because('Revision'));
    await admin.put(`/v1/rooms/${room}/mutes/${bob.id}`, { until: '2999-01-01T00:00:00Z', reason: 'Zu laut' });
    await tab.goTo('/audit');
    const row = page.getByRole('row', { name: /Read a room from outside/ });
    await row.getByText('Revision').waitFor();
    await row.getByRole('link', { name: 'Kontor' }).waitFor();
    await page
      .getByRole('row', { name: /Muted a person/ })
      .getByText('Zu laut')
      .waitFor();
    await tab.screenshot('audit-trail');
    await tab.screenshotInDark('audit-trail-dark');

    await page.getByRole('combobox', { name: 'What' }).click();
    await page.getByRole('option', { name: 'Muted a person', exact: true }).click();
    await row.waitFor({ state: 'detached' });
    await page.getByRole('row', { name: /Muted a person/ }).waitFor();

    const download = page.waitForEvent('download');
    await button('Download').click();
    expect((await download).suggestedFilename()).toBe('audit-trail.csv');
  });

  it('a room is played from its beginning, step by step, and by itself', async () => {
    const room = await ada.roomWith([[bob, 'moderator']], { name: 'Werkstatt' });
    const { id } = await bob.says(room, 'Hobel');
    await bob.patch(`/v1/rooms/${room}/messages/${id}`, { text: 'Säge' });
    for (let i = 0; i < 20; i++) await ada.says(room, `Brett ${i}`);
    await ada.delete(`/v1/rooms/${room}/messages/${id}`, { reason: 'scharf' });

    await tab.goTo(`/rooms/${room}/show/replay`);
    await page.getByRole('textbox', { name: 'Reason' }).fill('Unfall');
    await button('Read room').click();
    await place(0);
    const messages = page.getByRole('region', { name: 'Messages' });
    const members = page.getByRole('region', { name: 'Members' });
    await members.getByText('Members (0)').waitFor();

    for (let revision = 1; revision <= 3; revision++) {
      await button('One event on').click();
      await place(revision);
    }
    await page
      .getByRole('status')
      .getByText(/wrote: .*Hobel/)
      .waitFor();
    await messages.getByText('Hobel').waitFor();
    await messages.getByText('visible to 2 people').waitFor();
    await members.getByText(bob.username).waitFor();
    await members.getByText('Moderator').waitFor();
    await button('One event on').click();
    await messages.getByText('Säge').waitFor();
    await tab.screenshot('player');
    await tab.screenshotInDark('player-dark');
    await button('One event back').click();
    await messages.getByText('Hobel').waitFor();

    await page.getByRole('combobox', { name: 'Speed' }).click();
    await page.getByRole('option', { name: /1,000/ }).click();
    await button('Play').click();
    await messages.getByText('Brett 19').waitFor();
    await messages.getByText('Redacted').waitFor();
    await button('Play').waitFor();

    await page.getByRole('slider', { name: 'Time' }).focus();
    await page.keyboard.press('Home');
    // The creation and the joining of its owner have the same time.
    await place(1);
    await button('To the end').click();
    await messages.getByText('Brett 19').waitFor();
    expect(await messages.getByText('Hobel').count()).toBe(0);
  });
});
