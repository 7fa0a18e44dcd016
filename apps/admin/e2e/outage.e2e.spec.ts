import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../api/src/tests/harness/free-port.testing.js';
import { freshName, register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let service: TestService;
let browser: Browser;
let admin: TestPerson;
let tab: Tab;
let page: Page;

describe.skipIf(!browserProgram)('while the service is away', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    const environment = { PORT: `${await freePort()}` };
    [service, browser] = await Promise.all([startTestService({ environment }), openBrowser()]);
    admin = await signIn(service.url);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  beforeEach(async () => {
    tab = await Tab.open(browser, service.url);
    page = tab.page;
    await tab.goTo('/');
    await tab.signIn(administrator);
  });
  afterEach(() => tab.close());

  const banner = () => page.getByText('No connection to the service.');
  const claims = () =>
    page.getByText(
      /doesn't exist|does not exist|not found|no such|No People found|No Rooms found|There are no people/i,
    );

  /** People who keep talking, whatever happens to the service; `stop` waits until the last is done. */
  const load = async () => {
    const room = await admin.room();
    let going = true;
    const talking = Array.from({ length: 4 }, async () => {
      while (going) {
        await admin.client
          .call('postMessage', { params: { id: room }, body: { text: 'still here?' } }, { deadlineMs: 2_000 })
          .catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    });
    return async () => {
      going = false;
      await Promise.all(talking);
    };
  };

  it('pages claim nothing, keep nothing of an earlier search, and come back by themselves', async () => {
    const [ada, zoe] = [freshName(), freshName()];
    await register(service.url, `${ada}_ada`);
    await register(service.url, `${zoe}_zoe`);
    await tab.goTo('/users');
    const search = page.getByRole('textbox', { name: 'Search by name' });
    await search.fill(`${ada}_ada`);
    const row = (name: string) => page.getByRole('row').getByRole('link', { name });
    await row(`${ada}_ada`).waitFor();
    await row('admin').waitFor({ state: 'hidden' });
    const stop = await load();
    await service.restart(async () => {
      await banner().waitFor();
      expect(await banner().count()).toBe(1);
      await search.fill(`${zoe}_zoe`);
      await row(`${ada}_ada`).waitFor({ state: 'hidden' });
      // Longer than any attempt takes to fail.
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      expect(await claims().count()).toBe(0);
    });
    await row(`${zoe}_zoe`).waitFor();
    await banner().waitFor({ state: 'hidden' });
    await stop();
    expect(await claims().count()).toBe(0);
  });

  it('the page of a person that was opened meanwhile shows the person afterwards', async () => {
    const ada = await register(service.url);
    await tab.goTo('/users');
    await page.getByRole('row').getByRole('link', { name: ada.username }).waitFor();
    // Its script is there already.
    await tab.goTo(`/users/${admin.id}/show`);
    await page.getByRole('tab', { name: 'Profile' }).waitFor();
    await service.restart(async () => {
      await banner().waitFor();
      await tab.goTo(`/users/${ada.id}/show`);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      expect(await claims().count()).toBe(0);
      expect(page.url()).toContain(ada.id);
    });
    await page.getByText(ada.username, { exact: true }).first().waitFor();
    await banner().waitFor({ state: 'hidden' });
  });

  it('a dialog can be cancelled, and says what became of its action', async () => {
    const ada = await register(service.url);
    await tab.goTo(`/users/${ada.id}/show`);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Suspend' }).waitFor();
    await service.restart(async () => {
      await banner().waitFor();
      await page.getByRole('button', { name: 'Suspend' }).click();
      await dialog.getByRole('textbox', { name: 'Reason' }).fill('Spam');
      await dialog.getByRole('button', { name: 'Suspend' }).click();
      await dialog.getByText('Waiting for the service.').waitFor();
      await dialog.getByRole('button', { name: 'Cancel' }).click();
      await dialog.waitFor({ state: 'hidden' });
      await page.getByText(/do not know whether this was done|Nothing was changed/).waitFor();
    });
    await banner().waitFor({ state: 'hidden' });
    const again = await signIn(service.url);
    // Given up is given up: nothing is done once the service is back.
    expect((await again.get(`/v1/users/${ada.id}`)).body.suspended).toBe(false);

    // What is not cancelled is done as soon as it can be.
    await service.restart(async () => {
      await banner().waitFor();
      await page.getByRole('button', { name: 'Suspend' }).click();
      await dialog.getByRole('textbox', { name: 'Reason' }).fill('Spam');
      await dialog.getByRole('button', { name: 'Suspend' }).click();
      await dialog.getByText('Waiting for the service.').waitFor();
    });
    await page.getByText('is suspended.').first().waitFor();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByText('Reason: Spam').first().waitFor();
  });

  it('a page that was never opened is loaded as soon as the service is back', async () => {
    await page.getByText('People connected').first().waitFor();
    await service.restart(async () => {
      await banner().waitFor();
      await page.getByRole('menuitem', { name: 'Settings' }).click();
      await page.getByText('This page cannot be loaded without a connection.').waitFor();
    });
    await page.getByText('Who can register').waitFor();
    expect(page.url()).toContain('#/settings');
  });

  it('after an upgrade, pages load whose scripts have other names', async () => {
    // The scripts of the old page are gone; the reloaded page requests the new ones.
    let upgraded = true;
    await page.route('**/_next/static/chunks/**', (route) =>
      upgraded ? route.fulfill({ status: 404, body: 'Not found' }) : route.continue(),
    );
    page.on('request', (request) => {
      if (request.isNavigationRequest()) upgraded = false;
    });
    await page.getByRole('menuitem', { name: 'Reports' }).click();
    await page.getByText('No open reports.').waitFor();
    expect(upgraded).toBe(false);
    expect(page.url()).toContain('#/reports');
  });
});
