import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshName, password } from '../../api/src/doors/makechat/makechat-client.testing.js';
import { freePort } from '../../api/src/tests/harness/free-port.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

describe.skipIf(!browserProgram)('the pages at the port of makechat', { timeout: 180_000 }, () => {
  let service: TestService;
  let browser: Browser;
  let url: string;
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const environment = { MAKECHAT_PORT: `${port}` };
    [service, browser] = await Promise.all([startTestService({ environment }), openBrowser()]);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it('sign somebody up, show what was refused beside the field, and lead to the dashboard', async () => {
    const { page, complaints } = await Tab.open(browser, url);
    const username = freshName();
    await page.goto(`${url}/register`);
    const fill = async (secret: string) => {
      await page.getByLabel('User name').fill(username);
      await page.getByLabel('E-mail').fill(`${username}@example.org`);
      await page.getByLabel('Password', { exact: true }).fill(secret);
      await page.getByLabel('Repeat password').fill(secret);
      await page.getByRole('button', { name: 'Sign up' }).click();
    };
    await fill('short');
    await page.getByText('The password must have at least 10 characters.').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('password1');
    await fill(password);
    await page.waitForURL(`${url}/makechat/admin/**`);
    await page.getByRole('button', { name: /^sign in$/i }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('have a dashboard that works at /makechat/admin, live updates included', async () => {
    const { page, complaints } = await Tab.open(browser, url, {}, [url.replace('http', 'ws')]);
    await page.goto(`${url}/dashboard`);
    await page.waitForURL(`${url}/makechat/admin/**`);
    await page.getByLabel(/^user ?name/i).fill(administrator.username);
    await page.getByLabel(/^password/i).fill(administrator.password);
    await page.getByRole('button', { name: /^sign in$/i }).click();
    await page.getByRole('heading', { level: 1 }).first().waitFor();
    await page.getByRole('menuitem', { name: 'Rooms' }).click();
    await page.waitForURL(/\/makechat\/admin\/.*#\/rooms/);
    await page.reload();
    await page.waitForURL(/\/makechat\/admin\/.*#\/rooms/);
    await page.getByRole('menuitem', { name: 'Rooms' }).waitFor();
    expect(complaints).toEqual([]);
  });
});
