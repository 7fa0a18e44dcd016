import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  freshName,
  password,
  register,
  signIn,
  type TestPerson,
} from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let service: TestService;
let browser: Browser;
let admin: TestPerson;
let tab: Tab;
let page: Page;

describe.skipIf(!browserProgram)('the dashboard', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
    admin = await signIn(service.url);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  afterEach(() => {
    expect(tab.complaints).toEqual([]);
  });

  /** From here on the tests are in a tab with nothing stored. */
  const openTab = async (options = {}) => {
    tab = await Tab.open(browser, service.url, options);
    page = tab.page;
  };
  const enter = async (place = '/') => {
    await tab.goTo(place);
    await tab.signIn(administrator);
  };
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const dialog = () => page.getByRole('dialog');

  describe('signing in', () => {
    beforeEach(() => openTab());
    afterEach(() => tab.close());

    it('leads back to the page that was asked for, and outlives a reload', async () => {
      await enter('/users');
      await page.getByRole('cell', { name: 'admin', exact: true }).first().waitFor();
      await page.reload();
      await page.getByRole('cell', { name: 'admin', exact: true }).first().waitFor();
      expect(page.url()).toContain('#/users');
    });

    it('is for administrators and auditors', async () => {
      const user = await register(service.url);
      await tab.goTo('/');
      await tab.submitSignIn({ username: user.username, password: 'something wrong' });
      await page.getByText('The username, password or code is incorrect.').waitFor();
      await tab.submitSignIn({ username: user.username, password });
      await page.getByText('The dashboard is for administrators and auditors.').waitFor();
    });

    it('is needed again when the session ends, which leads back to where the person was', async () => {
      const other = await register(service.url);
      await admin.patch(`/v1/users/${other.id}`, { role: 'admin' });
      await tab.goTo('/rooms');
      await tab.signIn({ username: other.username, password });
      await page.getByText('There are no rooms yet.').or(page.getByRole('table')).first().waitFor();
      await admin.patch(`/v1/users/${other.id}`, { suspended: true });
      await page.getByText('Your session has ended.').first().waitFor({ timeout: 8_000 });
      await tab.signIn(administrator);
      await page.waitForURL(/#\/rooms/);
    });

    it('speaks German to those whose browser does', async () => {
      await tab.close();
      await openTab({ locale: 'de-DE' });
      await tab.goTo('/');
      await tab.signIn(administrator);
      await page.getByText('Verbundene Personen').first().waitFor();
      expect(await page.locator('html').getAttribute('lang')).toBe('de');
    });

    it('shows auditors everything and nothing that changes it', async () => {
      const auditor = await register(service.url);
      await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
      const room = await admin.room({ name: freshName() });
      await admin.post(`/v1/rooms/${room}/members`, { userId: auditor.id, role: 'guest' });
      await admin.says(room, 'seen by auditors');
      await tab.goTo(`/rooms/${room}/show/messages`);
      await tab.signIn({ username: auditor.username, password });
      await page.getByText('seen by auditors').waitFor();
      expect(await button(/close room|redact/i).count()).toBe(0);
      await tab.goTo(`/users/${admin.id}/show`);
      await page.getByText('admin', { exact: true }).first().waitFor();
      expect(await page.getByRole('link', { name: 'Edit' }).count()).toBe(0);
    });
  });

  describe('an administrator', () => {
    beforeAll(async () => {
      await openTab();
      await enter();
    });
    afterAll(() => tab.close());

    it('shows on the home page how the service is doing, live', async () => {
      const room = await admin.room();
      await tab.goTo('/');
      await page.getByText('Everything works').waitFor();
      const { days } = (await admin.get('/v1/overview')).body;
      await admin.says(room, 'one more');
      await page.getByText(`${days.at(-1).messages + 1} in the last 7 days`).waitFor();
    });

    describe('people', () => {
      it('are found, renamed, suspended and reinstated', async () => {
        const ada = await register(service.url);
        await tab.goTo('/users');
        await page.getByRole('textbox', { name: 'Search by name' }).fill(ada.username);
        await page.getByRole('cell', { name: ada.username }).first().click();

        await page.getByRole('link', { name: 'Edit' }).click();
        await page.getByRole('textbox', { name: /display name/i }).fill('Ada Lovelace');
        await button('Save').click();
        await page.getByText('Ada Lovelace').first().waitFor();

        await button('Suspend').click();
        await dialog().getByRole('textbox', { name: 'Reason' }).fill('Spam.');
        await dialog().getByRole('button', { name: 'Suspend' }).click();
        await page.getByText('Suspended', { exact: true }).waitFor();
        await page.getByText('Reason: Spam.').waitFor();
        expect((await admin.get(`/v1/users/${ada.id}`)).body).toMatchObject({
          suspended: true,
          displayName: 'Ada Lovelace',
        });

        await dialog().waitFor({ state: 'hidden' });
        await button('Reinstate').click();
        await dialog().getByRole('button', { name: 'Reinstate' }).click();
        await page.getByText('Active', { exact: true }).waitFor();
      });

      it('are suspended together, with what became of each', async () => {
        const prefix = freshName();
        const ids = [await register(service.url, `${prefix}_a`), await register(service.url, `${prefix}_b`)].map(
          ({ id }) => id,
        );
        await tab.goTo(`/users?filter=${encodeURIComponent(JSON.stringify({ q: prefix }))}`);
        await page
          .getByRole('cell', { name: `${prefix}_b` })
          .first()
          .waitFor();
        await page.getByRole('checkbox', { name: 'Select all' }).check();
        await button('Suspend').click();
        await dialog().getByRole('textbox', { name: 'Reason' }).fill('Spam.');
        await dialog().getByRole('button', { name: 'Suspend' }).click();
        await dialog().getByText('2 of 2 done.').waitFor();
        expect(await dialog().getByText('Done', { exact: true }).count()).toBe(2);
        for (const id of ids) expect((await admin.get(`/v1/users/${id}`)).body.suspended).toBe(true);
      });
    });

    describe('rooms', () => {
      it('are created, changed and, once their name is typed, closed', async () => {
        const name = freshName();
        await tab.goTo('/rooms/create');
        await page.getByRole('textbox', { name: /^name/i }).fill(name);
        await button('Save').click();
        await page.getByRole('tab', { name: 'Settings' }).click();
        await page.getByRole('textbox', { name: 'Topic' }).fill('What we are about');
        await button('Save').click();
        await page.getByText('Saved.').waitFor();

        await button('Close room').click();
        await dialog().getByRole('textbox', { name: 'Reason' }).fill('We are done.');
        expect(await dialog().getByRole('button', { name: 'Close room' }).isDisabled()).toBe(true);
        await dialog()
          .getByRole('textbox', { name: /to confirm/ })
          .fill(name);
        await dialog().getByRole('button', { name: 'Close room' }).click();
        await page.getByText('This room is closed.').waitFor();
        await page.getByText('Reason: We are done.').waitFor();
        const [room] = (await admin.get(`/v1/rooms?q=${name}`)).body.items;
        expect(room).toMatchObject({ status: 'closed', topic: 'What we are about' });
      });

      it('have members, who are added, given a role and removed', async () => {
        const ada = await register(service.url);
        const room = await admin.room();
        await tab.goTo(`/rooms/${room}/show/members`);
        await page.getByRole('combobox', { name: 'Find a person' }).fill(ada.username);
        await page.getByRole('option', { name: new RegExp(ada.username) }).click();
        await button('Add a person').click();
        await page.getByRole('combobox', { name: `Role of ${ada.username}` }).click();
        await page.getByRole('option', { name: 'Moderator' }).click();
        await page.getByText(`${ada.username} is now Moderator.`).waitFor();
        await button(`Remove ${ada.username}`).click();
        await dialog().getByRole('button', { name: 'Remove' }).click();
        await page.getByText(`${ada.username} was removed.`).waitFor();
        expect((await admin.all(`/v1/rooms/${room}/members`)).length).toBe(1);
      });

      it('show what is said as it is said, without moving what one reads', async () => {
        const room = await admin.room();
        for (let i = 1; i <= 60; i += 1) await admin.says(room, `message ${i}`);
        await tab.goTo(`/rooms/${room}/show/messages`);
        const log = page.getByRole('log');
        const heard = (text: string) => log.getByText(text, { exact: true });
        await page.getByText('Live', { exact: true }).waitFor();
        await admin.says(room, 'message 61');
        await heard('message 61').waitFor();

        await button('Show earlier messages').click();
        await heard('message 1').waitFor({ state: 'attached' });
        await heard('message 30').scrollIntoViewIfNeeded();
        await button('Jump to newest').waitFor();
        const place = await heard('message 30').boundingBox();
        await admin.says(room, 'message 62');
        await button('1 new message').waitFor();
        expect(await heard('message 30').boundingBox()).toEqual(place);
        await button('1 new message').click();
        await button('1 new message').waitFor({ state: 'hidden' });
      });

      it('are read from outside only once it is said why, where the service wants to know', async () => {
        const ada = await register(service.url);
        const room = await ada.room();
        await page.route(`**/v1/rooms/${room}/messages**`, (route) => {
          const refusal = { title: 'Why?', detail: 'Say why.', code: 'reason_required', retryable: false };
          const body = JSON.stringify({
            type: 'urn:verbatim:error:reason_required',
            status: 403,
            ...refusal,
            traceId: 't',
          });
          return route.fulfill({ status: 403, contentType: 'application/problem+json', body });
        });
        await tab.goTo(`/rooms/${room}/show/messages`);
        await page.getByText('Why do you want to read this room?').waitFor();
        expect(await page.getByRole('log').count()).toBe(0);
        await page.unroute(`**/v1/rooms/${room}/messages**`);
        await page.getByRole('textbox', { name: 'Reason' }).fill('A complaint.');
        await button('Read room').click();
        await page.getByRole('log').waitFor();
      });

      it('have messages that can be redacted with a reason', async () => {
        const room = await admin.room();
        await admin.says(room, 'a slip of the tongue');
        await tab.goTo(`/rooms/${room}/show/messages`);
        await button('Redact the message by admin').click();
        await dialog().getByRole('textbox', { name: 'Reason' }).fill('A slip.');
        await dialog().getByRole('button', { name: 'Redact' }).click();
        await page.getByRole('log').getByText('Redacted').waitFor();
        const [message] = (await admin.get(`/v1/rooms/${room}/messages`)).body.items;
        expect(message.text).toBeNull();
      });

      it('have a stream of events whose hashes the browser checks', async () => {
        const room = await admin.room();
        await admin.says(room, 'on the record');
        await tab.goTo(`/rooms/${room}/show/events`);
        await page.getByText(/wrote: .*on the record/).waitFor();
        await button('Verify hashes').click();
        await page.getByText('The hashes of these 3 events are correct.').waitFor();
        await button('Show event 2').click();
        await page.getByText('Encrypted, as stored').waitFor();
      });
    });

    it('says what went wrong, and how to find it in the logs', async () => {
      const taken = freshName();
      await admin.room({ name: taken });
      await tab.goTo('/rooms/create');
      await page.getByRole('textbox', { name: /^name/i }).fill(taken);
      await button('Save').click();
      await page
        .getByRole('alert')
        .getByText(/\(trace .+\)/)
        .waitFor();
    });
  });
});
