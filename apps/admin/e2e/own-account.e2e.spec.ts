import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Authenticator } from '../../api/src/application/sessions/authenticator.testing.js';
import { password, register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let service: TestService;
/** Of the same data, where auditors have to have a second factor. */
let strict: TestService;
let browser: Browser;
let admin: TestPerson;
let tab: Tab;
let page: Page;

describe.skipIf(!browserProgram)('one’s own account', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    service = await startTestService();
    strict = await startTestService({ beside: service, environment: { REQUIRE_MFA: 'auditor' } });
    browser = await openBrowser();
    admin = await signIn(service.url);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await strict?.stop();
    await service?.stop();
  });
  afterEach(async () => {
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });

  const openTab = async (url: string, options = {}) => {
    tab = await Tab.open(browser, url, options);
    page = tab.page;
  };
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const field = (name: string | RegExp) => page.getByRole('textbox', { name });

  /** The key as somebody would type it into an authenticator. */
  const phone = async () =>
    new Authenticator((await page.locator('code').innerText()).replaceAll(' ', ''), () => new Date());

  describe('of somebody whose role demands a second factor', () => {
    it('leads to setting it up after signing in, and then to where they were going', async () => {
      const auditor = await register(service.url);
      await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
      await openTab(strict.url);
      await tab.goTo('/rooms');
      await tab.submitSignIn({ username: auditor.username, password });
      await page.getByRole('heading', { name: 'Set up your second factor' }).waitFor();
      await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
      expect(await page.getByText(/No .* found|–/).count()).toBe(0);

      // Nothing else is answered until then, wherever one goes.
      await page.reload();
      await field('Authenticator code').waitFor();
      await field('Authenticator code').fill('000000');
      await button('Turn on').click();
      await page.getByText('This code is incorrect').waitFor();
      await field('Authenticator code').fill((await phone()).code());
      await button('Turn on').click();
      await button('I have saved them').waitFor();
      expect(await page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').count()).toBe(10);
      await button('I have saved them').click();
      await page.getByText('There are no rooms yet.').or(page.getByRole('table')).first().waitFor();
      expect(page.url()).toContain('#/rooms');
    });

    it('says so in German', async () => {
      const auditor = await register(service.url);
      await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
      await openTab(strict.url, { locale: 'de-DE' });
      await tab.goTo('/');
      await tab.submitSignIn({ username: auditor.username, password });
      await page.getByRole('heading', { name: 'Zweiten Faktor einrichten' }).waitFor();
      expect(await page.title()).toBe('Zweiten Faktor einrichten · Verbatim');
    });
  });

  describe('of an administrator', () => {
    let person: TestPerson;
    beforeEach(async () => {
      person = await register(service.url);
      await admin.patch(`/v1/users/${person.id}`, { role: 'admin' });
      await openTab(service.url);
      await tab.goTo('/');
      await tab.signIn({ username: person.username, password });
    });

    it('is reached from the menu, and has a second factor that is set up, given codes, and turned off', async () => {
      await button('Profile').click();
      await page.getByRole('menuitem', { name: 'My account' }).click();
      await page.getByRole('tab', { name: 'Second factor' }).click();
      await button('Set up').click();
      const authenticator = await phone();
      await field('Authenticator code').fill(authenticator.code());
      await button('Turn on').click();
      await page.getByText('Your second factor is on.').first().waitFor();
      // The codes are shown only now, so leaving asks first.
      await page.getByRole('menuitem', { name: 'Rooms' }).click();
      await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click();
      await button('I have saved them').click();
      await page.getByText('10 recovery codes left.').waitFor();

      await button('New recovery codes').click();
      await page.getByRole('dialog').getByRole('button', { name: 'New recovery codes' }).click();
      await button('I have saved them').click();
      await button('Turn off').click();
      await page
        .getByRole('dialog')
        .getByRole('textbox', { name: 'Password' })
        .or(page.getByLabel('Password'))
        .last()
        .fill(password);
      await page.getByRole('dialog').getByRole('button', { name: 'Turn off' }).click();
      await button('Set up').waitFor();
      expect((await admin.get(`/v1/users/${person.id}`)).body.secondFactor).toBe(false);
    });

    it('changes the password, which ends the other sessions', async () => {
      await tab.goTo('/account/password');
      await page.getByLabel('Current password').fill('not the password');
      await page.getByLabel('New password').fill('another password');
      await page.getByLabel('Repeat password').fill('another password');
      await button('Change password').click();
      await page.getByText('The password is incorrect.').waitFor();
      await page.getByLabel('Current password').fill(password);
      await button('Change password').click();
      await page.getByText('Your password was changed.').waitFor();
      expect((await person.get('/v1/me')).status).toBe(401);
      await signIn(service.url, { username: person.username, password: 'another password' });
    });

    it('has sessions that can be ended, all others at once', async () => {
      await tab.goTo('/account/sessions');
      await page.getByText('This session').waitFor();
      await button('Sign out everywhere else').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere else' }).click();
      await button('Sign out everywhere else').waitFor({ state: 'hidden' });
      expect((await person.get('/v1/me')).status).toBe(401);
      await page.getByText('This session').waitFor();
    });

    it('has tokens, made and revoked', async () => {
      await tab.goTo('/account/tokens');
      await button('Create token').click();
      await page.getByRole('dialog').getByRole('textbox', { name: 'Name' }).fill('my script');
      await page.getByRole('dialog').getByRole('button', { name: 'Create token' }).click();
      const token = await page.getByRole('dialog').getByRole('textbox', { name: 'Token' }).inputValue();
      const me = () => fetch(`${service.url}/v1/me`, { headers: { authorization: `Bearer ${token}` } });
      expect((await me()).status).toBe(200);
      await page.getByRole('dialog').getByRole('button', { name: 'Close' }).click();
      await button('Revoke your token “my script”').click();
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await page.getByText('You have no tokens.').waitFor();
      expect((await me()).status).toBe(401);
    });

    it('chooses language and colours, and a name', async () => {
      await tab.goTo('/account/appearance');
      await page.getByRole('radio', { name: 'Deutsch' }).check();
      await page.getByRole('heading', { name: 'Darstellung' }).waitFor();
      await page.getByRole('radio', { name: 'Dunkel' }).check();
      await page.waitForFunction('getComputedStyle(document.body).colorScheme !== undefined');
      await page.getByRole('tab', { name: 'Profil' }).click();
      await field('Anzeigename').fill('Ada Königin');
      await button('Speichern').click();
      await page.getByText('Gespeichert.').waitFor();
      expect((await person.get('/v1/me')).body.displayName).toBe('Ada Königin');
    });

    it('is signed in in a second tab too, and out in both', async () => {
      const second = await page.context().newPage();
      await second.goto(`${service.url}/admin/#/rooms`);
      await second.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
      // Both renew the session, as they do when the access token ends.
      const expire = `
        const kept = JSON.parse(localStorage.getItem('verbatim.session'));
        localStorage.setItem('verbatim.session', JSON.stringify({ ...kept, renewAt: 0, expiresAt: 0 }));
        location.reload();`;
      await second.evaluate(expire);
      await Promise.all([second.waitForLoadState(), page.reload()]);
      await second.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
      await page.getByRole('heading', { name: 'Home' }).waitFor();
      await button('Profile').click();
      await page.getByRole('menuitem', { name: 'Sign out' }).click();
      await second.getByRole('button', { name: 'Sign in' }).waitFor();
      await page.getByRole('button', { name: 'Sign in' }).waitFor();
    });
  });
});
