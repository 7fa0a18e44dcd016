import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freshName, password, register, signIn } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

/** Bytes of script, as they come over the network, that the first page may need. */
const BUDGET = 600_000;

let service: TestService;
let browser: Browser;
let tab: Tab;
let page: Page;

describe.skipIf(!browserProgram)('the home page', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    const environment = { RATE_LIMITS: 'on', LIMIT_SIGN_IN: '3/60' };
    [service, browser] = await Promise.all([startTestService({ environment }), openBrowser()]);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  beforeEach(async () => {
    tab = await Tab.open(browser, service.url, { acceptDownloads: true });
    page = tab.page;
  });
  afterEach(async () => {
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });

  it('needs little script, and lists the first steps on an empty service', async () => {
    const sizes: Promise<number>[] = [];
    page.on('requestfinished', (request) => {
      if (request.resourceType() === 'script')
        sizes.push(request.sizes().then(({ responseBodySize }) => responseBodySize));
    });
    const loaded = async () => (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
    await tab.goTo('/');
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    await page.waitForLoadState('networkidle');
    const bytes = await loaded();
    expect(bytes).toBeLessThan(BUDGET);
    await tab.signIn(administrator);
    await page.getByRole('heading', { name: 'First steps' }).waitFor();
    await page.locator('figure svg').first().waitFor();
    console.log(`script: ${bytes} bytes up to signing in, ${await loaded()} with the home page`);
    await tab.screenshot('home-first-steps');
    await page.getByRole('link', { name: 'Add people' }).click();
    await page.getByRole('radio', { name: /^Person/ }).waitFor();
  });

  it('names the reports and the people that wait, and leads to them', async () => {
    const admin = await signIn(service.url);
    const [ada, bob] = [await register(service.url), await register(service.url)];
    const room = await ada.roomWith([bob]);
    const { id } = await ada.says(room, 'buy my soap');
    await bob.post(`/v1/rooms/${room}/messages/${id}/reports`, { reason: 'Advertising' });
    const invited = freshName();
    await admin.post('/v1/users', { username: invited });
    await tab.goTo('/');
    await tab.signIn(administrator);
    await page.getByText('1 open report.').waitFor();
    await page.getByText('has not used the password link yet').waitFor();
    expect(await page.getByRole('heading', { name: 'First steps' }).count()).toBe(0);
    for (const [name, width] of [
      ['phone', 390],
      ['tablet', 768],
      ['desk', 1280],
    ] as const) {
      await page.setViewportSize({ width, height: 900 });
      await page.waitForTimeout(500);
      await tab.screenshot(`home-${name}`);
    }
    await tab.screenshotInDark('home-dark');
    await page.getByRole('link', { name: invited }).first().click();
    await page.getByRole('tab', { name: 'Profile' }).waitFor();
    await tab.goTo('/');
    await page.getByRole('link', { name: 'Go to reports' }).click();
    await page.getByText('Advertising').first().waitFor();
  });

  it('leads to an import whose links survive leaving its page', async () => {
    const username = freshName();
    await tab.goTo('/users/import');
    await tab.signIn(administrator);
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      page.getByRole('button', { name: 'Choose a file' }).click(),
    ]);
    const buffer = Buffer.from(`username\n${username}\n`);
    await chooser.setFiles({ name: 'people.csv', mimeType: 'text/csv', buffer });
    await page.getByRole('button', { name: 'Create 1 account' }).click();
    await page.getByText('Created: 1.').waitFor();
    await page.getByRole('menuitem', { name: 'Rooms' }).click();
    await page.getByText('You have not saved the password links.').waitFor();
    await page.getByRole('button', { name: 'Leave anyway' }).click();
    await page.getByRole('heading', { name: 'Rooms' }).waitFor();
    await page.getByRole('menuitem', { name: 'People' }).click();
    await page.getByRole('link', { name: 'Import' }).click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save links' }).click(),
    ]);
    const token = /token=(\S+)/.exec(readFileSync(await download.path(), 'utf8'))?.[1];
    const admin = await signIn(service.url);
    expect((await admin.post('/v1/auth/reset', { token, newPassword: password })).status).toBe(204);
    // Once they are saved, nothing is asked.
    await page.getByRole('menuitem', { name: 'Rooms' }).click();
    await page.getByRole('heading', { name: 'Rooms' }).waitFor();
  });
});
