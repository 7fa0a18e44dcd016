import { readFile } from 'node:fs/promises';
import { calls } from '@verbatim/protocol';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';
import { seriousFaults } from './looks.testing.js';

const hebrew = 'חדרהמכונותשלהספינההגדולהביותר'.repeat(3).slice(0, 80);
let service: TestService;
let browser: Browser;
let admin: TestPerson;
let ada: TestPerson;
let tab: Tab;
let page: Page;

const button = (name: string) => page.getByRole('button', { name, exact: true });

/** The dashboard is ahead of the API as long as that has no such call. */
const exists = 'requestExport' in calls;

describe.skipIf(!browserProgram || !exists)('exports', { timeout: 240_000 }, () => {
  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
    [admin, ada] = [await signIn(service.url), await register(service.url)];
    const auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    tab = await Tab.open(browser, service.url, { reducedMotion: 'reduce', acceptDownloads: true });
    page = tab.page;
    await tab.goTo('/');
    await tab.signIn({ username: auditor.username, password: 'correct horse' });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it('are asked for by auditors, come with progress and a bundle, and say how others check it', async () => {
    const room = await ada.room({ name: hebrew });
    for (let i = 0; i < 30; i++) await ada.says(room, `line ${i}`);
    await tab.goTo('/exports');
    await page.getByText('You have no exports.').waitFor();
    await tab.screenshot('exports-none');
    await page.getByRole('link', { name: 'New export' }).click();
    await button('Export').click();
    await page.getByText('Required').waitFor();
    await page.getByRole('combobox', { name: 'Room' }).fill(hebrew.slice(0, 5));
    await page.getByRole('option', { name: hebrew }).click();
    await page.getByRole('textbox', { name: 'Words' }).fill('line');
    await page.getByRole('textbox', { name: 'Reason' }).fill('Case 21');
    await page
      .getByRole('menuitem', { name: 'Holds' })
      .or(page.getByRole('menuitem', { name: 'Legal holds' }))
      .click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click();
    await tab.screenshot('export-form');
    expect(await seriousFaults(tab)).toEqual([]);
    await button('Export').click();
    await page.getByText('The bundle is ready.').waitFor();
    await tab.screenshot('export-done');
    await tab.screenshotInDark('export-done-dark');
    expect(await seriousFaults(tab)).toEqual([]);
    expect(await page.title()).toBe('Export · Verbatim');
    expect(await page.getByRole('textbox', { name: 'Command' }).inputValue()).toMatch(
      /^npm run cli -- verify export-.+\.tar --key '/,
    );

    const download = page.waitForEvent('download');
    await button('Download bundle').click();
    const bundle = await readFile(await (await download).path());
    expect(bundle.subarray(0, 13).toString()).toBe('manifest.json');

    await tab.goTo('/exports');
    await page.getByRole('row', { name: /Done.*Case 21/ }).waitFor();
    await tab.screenshot('exports');
    expect(tab.complaints).toEqual([]);
  });
});
