import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { password, register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

describe.skipIf(!browserProgram)('running the service from the dashboard', { timeout: 180_000 }, () => {
  let service: TestService;
  let browser: Browser;
  let admin: TestPerson;
  let reader: TestPerson;
  let tab: Tab;
  let page: Page;

  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
    [admin, reader] = [await signIn(service.url), await register(service.url)];
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  afterEach(async () => {
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });

  const enter = async (place: string, who: { username: string; password: string } = administrator) => {
    tab = await Tab.open(browser, service.url);
    page = tab.page;
    await tab.goTo(place);
    await tab.signIn(who);
  };
  const button = (name: string) => page.getByRole('button', { name, exact: true });

  it('rebuilds the read models after a confirmation', async () => {
    await enter('/projections');
    await page.getByText('In use: schema read_1').waitFor();
    await button('Rebuild').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Rebuild' }).click();
    await page.getByText('In use: schema read_2').waitFor();
    await button('Rebuild').waitFor();
  });

  it('announces something on top of every page, until it is withdrawn', async () => {
    await enter('/settings');
    await page.getByRole('textbox', { name: 'Text' }).fill('Closed on Sunday');
    await button('Announce').click();
    const banner = page.getByRole('status').getByText('Closed on Sunday');
    await banner.waitFor();
    await tab.goTo('/users');
    await banner.waitFor();
    expect((await admin.get('/v1/about')).body.announcement.text).toBe('Closed on Sunday');
    await tab.goTo('/settings');
    await button('Withdraw').click();
    await banner.waitFor({ state: 'hidden' });
    expect((await admin.get('/v1/about')).body.announcement).toBeNull();
  });

  it('starts maintenance after a confirmation, shows it at the top of every page, and ends it', async () => {
    await enter('/settings');
    await button('Start maintenance').click();
    const dialog = page.getByRole('dialog', { name: 'Start maintenance?' });
    await dialog.getByLabel('Notice').fill('A new disk');
    await dialog.getByRole('button', { name: 'Start maintenance' }).click();
    const banner = page.getByRole('status').getByText('A new disk');
    await banner.waitFor();
    const person = await signIn(service.url, { username: reader.username, password });
    expect((await person.post('/v1/rooms', { name: 'not now' })).body.detail).toBe('A new disk');
    await tab.goTo('/users');
    await banner.waitFor();
    await tab.goTo('/settings');
    await button('End maintenance').click();
    await banner.waitFor({ state: 'hidden' });
    expect((await person.post('/v1/rooms', { name: 'not now' })).status).toBe(201);
  });

  it('shows auditors the same, and lets them change nothing', async () => {
    const auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    await enter('/projections', { username: auditor.username, password });
    await page.getByText('Last event in the log').waitFor();
    expect(await button('Rebuild').count()).toBe(0);
    await tab.goTo('/settings');
    await page.getByText('Who can register').waitFor();
    expect(await button('Announce').count()).toBe(0);
  });

  it('shows on the home page how the service is doing, and how many people are connected', async () => {
    const socket = await admin.connect();
    await enter('/');
    await page.getByText('Everything works').waitFor();
    await page.getByText('People connected', { exact: true }).waitFor();
    const figure = (name: string) => page.getByRole('heading', { name, exact: true }).locator('xpath=../p[1]');
    const openRooms = Number(await figure('Open rooms').textContent());
    await admin.room();
    await expect
      .poll(async () => Number(await figure('Open rooms').textContent()), { timeout: 25_000 })
      .toBe(openRooms + 1);
    socket.close();
  });
});
