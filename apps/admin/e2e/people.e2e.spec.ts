import { readFile } from 'node:fs/promises';
import { TOTP } from 'otpauth';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
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
/** How many seconds the service's clock is ahead. */
let ahead = 0;

describe.skipIf(!browserProgram)('the pages about people', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    const clock = () => new Date(Date.now() + ahead * 1_000);
    [service, browser] = await Promise.all([startTestService({ clock }), openBrowser()]);
    admin = await signIn(service.url);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  afterEach(() => {
    expect(tab.complaints).toEqual([]);
  });

  /** From here on the tests are in a tab in which this person is signed in. */
  const enter = async (credentials: { username: string; password: string } = administrator) => {
    tab = await Tab.open(browser, service.url, { acceptDownloads: true });
    page = tab.page;
    await tab.goTo('/users');
    await tab.signIn(credentials);
  };
  const button = (name: string | RegExp) => page.getByRole('button', { name });
  const dialog = () => page.getByRole('dialog');
  const confirm = (name: string) => dialog().getByRole('button', { name }).click();
  const toTab = (name: string) => page.getByRole('tab', { name }).click();
  /** A secret that a dialog shows, once; afterwards the dialog is closed. */
  const secret = async (label: string): Promise<string> => {
    const shown = await dialog().getByRole('textbox', { name: label }).inputValue();
    await confirm('Close');
    return shown;
  };
  const download = async (name: string): Promise<string> => {
    const [file] = await Promise.all([page.waitForEvent('download'), button(name).click()]);
    return readFile(await file.path(), 'utf8');
  };

  describe('an administrator', () => {
    beforeAll(() => enter());
    afterAll(() => tab.close());

    it('sees where somebody is signed in, and ends one session or all', async () => {
      const ada = await register(service.url);
      const elsewhere = await signIn(service.url, { username: ada.username, password });
      await tab.goTo(`/users/${ada.id}/show/sessions`);
      await page.getByRole('cell', { name: 'Registration' }).waitFor();
      await button(/^End the session/)
        .first()
        .click();
      await confirm('End');
      await page.getByText('The session was ended.').waitFor();
      await page.getByRole('cell', { name: 'Password' }).waitFor({ state: 'hidden' });
      expect((await elsewhere.get('/v1/me')).status).toBe(401);

      await button('Sign out everywhere').click();
      await confirm('Sign out everywhere');
      await page.getByText('Not signed in anywhere.').waitFor();
      expect((await ada.get('/v1/me')).status).toBe(401);
    });

    it('sees all sessions in one place, those of one person too, and ends one', async () => {
      const ada = await register(service.url);
      const elsewhere = await signIn(service.url, { username: ada.username, password });
      await tab.goTo('/sessions');
      await page.getByText('This session').waitFor();
      const rows = page.getByRole('row').filter({ has: page.getByRole('link', { name: ada.username }) });
      await rows.first().waitFor();
      await page.getByRole('combobox', { name: 'Only this person' }).fill(ada.username);
      await page.getByRole('option', { name: ada.username }).click();
      await page.getByText('This session').waitFor({ state: 'hidden' });
      await rows.nth(1).waitFor();
      expect(await rows.count()).toBe(2);
      await rows
        .first()
        .getByRole('button', { name: `End the session of ${ada.username}` })
        .click();
      await confirm('End');
      await rows.nth(1).waitFor({ state: 'hidden' });
      expect((await elsewhere.get('/v1/me')).status).toBe(401);
      expect((await ada.get('/v1/me')).status).toBe(200);
      await rows.first().getByRole('link').click();
      await page.waitForURL(`**/#/users/${ada.id}/show/sessions`);
    });

    it('sees all tokens in one place, revokes one, and finds the way to the bots and to a new one', async () => {
      const ada = await register(service.url);
      const name = freshName();
      await ada.post('/v1/me/tokens', { name, scopes: ['read'] });
      const robby = (await admin.post('/v1/bots', { username: freshName() })).body;
      await admin.post(`/v1/users/${robby.id}/tokens`, { name: 'of the bot', scopes: ['post'], expiresInDays: null });
      const token = page.getByRole('row').filter({ hasText: name });
      await tab.goTo('/tokens');
      await token.getByRole('link', { name: ada.username }).waitFor();
      await token.getByRole('button', { name: `Revoke the token “${name}” of ${ada.username}` }).click();
      await confirm('Revoke');
      await token.waitFor({ state: 'hidden' });
      expect((await ada.get('/v1/me/tokens')).body.items).toEqual([]);
      await page.getByRole('row').filter({ hasText: robby.username }).getByText('Never').waitFor();

      await page.getByRole('link', { name: 'All bots' }).click();
      await page.getByRole('cell', { name: robby.username }).first().waitFor();
      expect(await page.getByRole('cell', { name: ada.username }).count()).toBe(0);
      await tab.goTo('/tokens');
      await page.getByRole('link', { name: 'New bot' }).click();
      expect(await page.getByRole('radio', { name: /^Bot/ }).isChecked()).toBe(true);
    });

    it('sees the rooms somebody is in, and what happened to the account in sentences and as recorded', async () => {
      const ada = await register(service.url);
      const name = freshName();
      await ada.room({ name });
      await ada.patch('/v1/me', { displayName: 'Ada Lovelace' });
      await tab.goTo(`/users/${ada.id}/show`);
      await toTab('Rooms');
      await page.getByRole('link', { name }).waitFor();
      await toTab('Security events');
      await page.getByText('The account was created by registration. Role: User.').waitFor();
      await page.getByText('The display name was changed to “Ada Lovelace”.').waitFor();
      await page.getByText('SessionStarted 1').click();
      await page.getByText('"how": "registration"').waitFor();
    });

    it('gives somebody a link at which they choose a password', async () => {
      const ada = await register(service.url);
      await tab.goTo(`/users/${ada.id}/show`);
      await button('Reset password').click();
      await confirm('Reset password');
      const link = await secret('Link');

      const visitor = await Tab.open(browser, service.url);
      await visitor.page.goto(link);
      await visitor.page.getByLabel(/^New password/).fill('another horse');
      await visitor.page.getByLabel(/^Repeat password/).fill('another house');
      await visitor.page.getByRole('button', { name: 'Set password' }).click();
      await visitor.page.getByText('The passwords do not match.').waitFor();
      await visitor.page.getByLabel(/^Repeat password/).fill('another horse');
      await visitor.page.getByRole('button', { name: 'Set password' }).click();
      await visitor.page.getByText('Your password is set.').waitFor();
      expect(visitor.page.url()).not.toContain('token');
      await signIn(service.url, { username: ada.username, password: 'another horse' });

      await visitor.page.goto('about:blank');
      await visitor.page.goto(link);
      await visitor.page.getByLabel(/^New password/).fill('a third horse');
      await visitor.page.getByLabel(/^Repeat password/).fill('a third horse');
      await visitor.page.getByRole('button', { name: 'Set password' }).click();
      await visitor.page.getByText('This link is incomplete or already used.').waitFor();
      expect(visitor.complaints).toEqual([]);
      await visitor.close();
    });

    it('removes a lost second factor, and proves once more who they are where the last proof is old', async () => {
      const ada = await register(service.url);
      const { secret: key } = (await ada.post('/v1/me/totp')).body;
      await ada.post('/v1/me/totp/confirm', { code: new TOTP({ secret: key }).generate() });
      try {
        ahead = 16 * 60;
        await tab.goTo(`/users/${ada.id}/show`);
        await button('Remove second factor').click();
        await confirm('Remove second factor');
        await page.getByText('Is it really you?').waitFor();
        await dialog().getByLabel('Password').fill('wrong password');
        await confirm('Continue');
        await dialog().getByText('The password or code is incorrect.').waitFor();
        await dialog().getByLabel('Password').fill(administrator.password);
        await confirm('Continue');
        await page.getByText(`The second factor of ${ada.username} was removed.`).waitFor();
        await button('Remove second factor').waitFor({ state: 'hidden' });
      } finally {
        ahead = 0;
      }
      admin = await signIn(service.url);
    });

    it('deactivates somebody, and takes it back', async () => {
      const ada = await register(service.url);
      await tab.goTo(`/users/${ada.id}/show`);
      await button('Deactivate').click();
      await confirm('Deactivate');
      await page.getByText('Deactivated', { exact: true }).waitFor();
      await button('Reactivate').click();
      await confirm('Reactivate');
      await page.getByText('Active', { exact: true }).waitFor();
      expect((await admin.get(`/v1/users/${ada.id}`)).body.status).toBe('active');
    });

    it('makes an account for a person, who chooses the password', async () => {
      const username = freshName();
      await tab.goTo('/users');
      await page.getByRole('link', { name: 'Create' }).click();
      await page.getByRole('textbox', { name: /^Username/ }).fill('no');
      await button('Create').click();
      await page.getByText('3 to 32 characters').first().waitFor();
      await page.getByRole('textbox', { name: /^Username/ }).fill(username);
      await page.getByRole('textbox', { name: /^E-mail/ }).fill('grace@example.org');
      await button('Create').click();
      const token = new URL((await secret('Link')).replace('#/', '')).searchParams.get('token');
      await page.getByText('grace@example.org').waitFor();
      expect((await admin.post('/v1/auth/reset', { token, newPassword: password })).status).toBe(204);
      await signIn(service.url, { username, password });
    });

    it('makes a bot and its token, which is shown once, and revokes it', async () => {
      const username = freshName();
      await tab.goTo('/users/create');
      await page.getByRole('radio', { name: /^Bot/ }).check();
      await page.getByRole('textbox', { name: /^Username/ }).fill(username);
      await button('Create').click();
      await button('Create token').click();
      await dialog().getByRole('textbox', { name: /^Name/ }).fill('build server');
      await confirm('Create token');
      const token = await secret('Token');
      const { status, body } = await admin.get('/v1/me', { authorization: `Bearer ${token}` });
      expect([status, body.username]).toEqual([200, username]);

      await page.getByRole('cell', { name: 'build server', exact: true }).waitFor();
      await button('Revoke the token “build server”').click();
      await confirm('Revoke');
      await page.getByText('No tokens yet.').waitFor();
    });

    it('finds bots, and who came when', async () => {
      const prefix = freshName();
      await register(service.url, `${prefix}_ada`);
      await admin.post('/v1/bots', { username: `${prefix}_robby` });
      const found = (filter: object) =>
        tab.goTo(`/users?filter=${encodeURIComponent(JSON.stringify({ q: prefix, ...filter }))}`);
      const cell = (name: string) => page.getByRole('cell', { name: `${prefix}_${name}`, exact: true }).first();
      await found({ bot: 'true' });
      await cell('robby').waitFor();
      await cell('ada').waitFor({ state: 'hidden' });
      await found({ bot: 'false', createdFrom: '2020-01-01' });
      await cell('ada').waitFor();
      await cell('robby').waitFor({ state: 'hidden' });
      await found({ createdBefore: '2020-01-01' });
      await cell('ada').waitFor({ state: 'hidden' });
      expect(await page.getByLabel('Joined before').inputValue()).toBe('2020-01-01');
    });

    it('signs out several people together, with what became of each', async () => {
      const prefix = freshName();
      const people = [await register(service.url, `${prefix}_a`), await register(service.url, `${prefix}_b`)];
      await tab.goTo(`/users?filter=${encodeURIComponent(JSON.stringify({ q: prefix }))}`);
      await page
        .getByRole('cell', { name: `${prefix}_b` })
        .first()
        .waitFor();
      await page.getByRole('checkbox', { name: 'Select all' }).check();
      await button('Sign out everywhere').click();
      await confirm('Sign out everywhere');
      await dialog().getByText('2 of 2 done.').waitFor();
      for (const person of people) expect((await person.get('/v1/me')).status).toBe(401);
      await confirm('Close');
    });

    it('downloads the people of the list', async () => {
      const { username } = await register(service.url);
      await register(service.url);
      await tab.goTo(`/users?filter=${encodeURIComponent(JSON.stringify({ q: username }))}`);
      await page.getByRole('cell', { name: username }).first().waitFor();
      const lines = (await download('Download')).trimEnd().split('\r\n');
      expect(lines).toHaveLength(2);
      expect(lines[1]).toContain(username);
    });

    it('imports people from a file, having seen what would be done', async () => {
      const [there, fresh, other] = [(await register(service.url)).username, freshName(), freshName()];
      const file = (text: string) => ({ name: 'people.csv', mimeType: 'text/csv', buffer: Buffer.from(text) });
      const choose = async (text: string) => {
        const [chooser] = await Promise.all([page.waitForEvent('filechooser'), button('Choose a file').click()]);
        await chooser.setFiles(file(text));
      };
      const row = (name: string) => page.getByRole('row').filter({ hasText: name });
      await tab.goTo('/users');
      await page.getByRole('link', { name: 'Import' }).click();
      await choose('name\nada\n');
      await page.getByText('The first line has no “username” column.').waitFor();
      await choose(
        `username,displayName,email\n${there},,\n${fresh},Grace Hopper,grace@example.org\n${other},,nowhere\n`,
      );
      await page.getByText('To create: 1. Already exist: 1. Invalid: 1.').waitFor();
      await row(other).getByText('email must be an e-mail address').waitFor();
      expect((await admin.get(`/v1/users?usernames=${fresh}`)).body.items).toEqual([]);

      await button('Create 1 account').click();
      await page.getByText('Created: 1.').waitFor();
      await row(fresh).getByText('Created', { exact: true }).waitFor();
      const [found] = (await admin.get(`/v1/users?usernames=${fresh}`)).body.items;
      expect(found).toMatchObject({ displayName: 'Grace Hopper', email: 'grace@example.org' });
      const token = /token=(\S+)/.exec(await download('Save links'))?.[1];
      expect((await admin.post('/v1/auth/reset', { token, newPassword: password })).status).toBe(204);

      await choose(`username\n${there}\n${fresh}\n`);
      await page.getByText('To create: 0. Already exist: 2. Invalid: 0.').waitFor();
      expect(await button(/^Make/).count()).toBe(0);
    });
  });

  it('columns and saved queries stay with the account', async () => {
    const { id, username } = await register(service.url);
    await admin.patch(`/v1/users/${id}`, { role: 'auditor' });
    const header = (name: string) => page.getByRole('columnheader', { name });
    const toMenu = (name: string | RegExp) => page.getByRole('menuitem', { name }).click();
    await enter({ username, password });
    await header('Last sign-in').waitFor();
    await button('Columns').click();
    await page.getByRole('option', { name: 'Last sign-in' }).getByText('Last sign-in').click();
    await page.keyboard.press('Escape');
    await header('Last sign-in').waitFor({ state: 'hidden' });
    await tab.goTo(`/users?filter=${encodeURIComponent(JSON.stringify({ role: 'auditor' }))}`);
    await button('Add filter').click();
    await toMenu(/^Save current query/);
    await dialog().getByRole('textbox', { name: 'Query name' }).fill('Those who watch');
    await confirm('Save');
    await eventually(
      async () => (await signIn(service.url, { username, password })).get('/v1/me/preferences'),
      ({ body }) => body.preferences.includes('Those who watch'),
    );
    await tab.close();

    await enter({ username, password });
    try {
      await header('Username').waitFor();
      await header('Last sign-in').waitFor({ state: 'hidden' });
      await button('Add filter').click();
      await toMenu('Those who watch');
      await page.waitForURL(/role/);
    } finally {
      await tab.close();
    }
  });

  it('an auditor sees all of it, and no button that changes anything', async () => {
    const { id, username } = await register(service.url);
    await admin.patch(`/v1/users/${id}`, { role: 'auditor' });
    const robby = (await admin.post('/v1/bots', { username: freshName() })).body.id;
    const ada = await register(service.url);
    await ada.post('/v1/me/tokens', { name: 'build server', scopes: ['read'] });
    await enter({ username, password });
    try {
      await page.getByRole('cell', { name: ada.username }).first().waitFor();
      const changing = /create|new|import|edit|suspend|sign out|reset|remove|activate|make|revoke|^end/i;
      const none = async () => {
        expect(await button(changing).count()).toBe(0);
        expect(await page.getByRole('link', { name: changing }).count()).toBe(0);
      };
      await none();
      const pages: [string, string][] = [
        [`/users/${ada.id}/show`, 'Profile'],
        [`/users/${ada.id}/show/rooms`, 'Not a member of any room.'],
        [`/users/${ada.id}/show/sessions`, 'Registration'],
        [`/users/${robby}/show/tokens`, 'No tokens yet.'],
        [`/users/${ada.id}/show/events`, 'Signed in. Method: Registration.'],
        ['/sessions', ada.username],
        ['/tokens', ada.username],
      ];
      for (const [place, shows] of pages) {
        await tab.goTo(place);
        await page.getByText(shows).first().waitFor();
        await none();
      }
    } finally {
      await tab.close();
    }
  });
});
