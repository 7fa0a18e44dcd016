import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  eventually,
  freshName,
  password,
  register,
  signIn,
  type TestPerson,
  Visitor,
} from '../../api/src/tests/harness/test-client.testing.js';
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
const field = (name: string | RegExp) => page.getByRole('textbox', { name });
const dialog = () => page.getByRole('dialog');
const inDialog = (name: string | RegExp) => dialog().getByRole('button', { name });

describe.skipIf(!browserProgram)('keeping rooms in order', { timeout: 180_000 }, () => {
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

  /** A room of ada's, which the administrator is not in. */
  const settled = async (settings = {}) => ada.roomWith([bob], settings);
  const sayWhy = async () => {
    await field('Reason').fill('A complaint.');
    await button('Read room').click();
  };

  describe('reports', () => {
    it('are read once it is said why, acted upon, and settled with an outcome and a note', async () => {
      const room = await settled();
      await ada.says(room, 'a question');
      const { id } = await bob.says(room, 'something rude');
      await ada.post(`/v1/rooms/${room}/messages/${id}/reports`, { reason: 'He is rude.' });

      await tab.goTo('/reports');
      const report = page.getByRole('article', { name: 'He is rude.' });
      await report.getByRole('button', { name: 'Show message' }).click();
      await page.getByText('Why do you want to read this room?').waitFor();
      expect(await page.getByText('something rude').count()).toBe(0);
      await sayWhy();
      await report.getByText('something rude').waitFor();
      await report.getByText('a question').waitFor();

      await report.getByRole('button', { name: `Redact the message by ${bob.username}` }).click();
      expect(await inDialog('Redact').isDisabled()).toBe(true);
      await dialog().getByRole('textbox', { name: 'Reason' }).fill('Rude.');
      await inDialog('Redact').click();
      await report.getByText('Redacted', { exact: true }).waitFor();

      await report.getByRole('button', { name: `Ban ${bob.username}` }).click();
      await inDialog('Ban').click();
      await page.getByText(`${bob.username} was banned.`).waitFor();

      await report.getByRole('button', { name: 'Settle' }).click();
      await page.getByRole('radio', { name: 'Action taken' }).check();
      await dialog().getByRole('textbox', { name: 'Note' }).fill('Redacted and banned.');
      await inDialog('Settle').click();
      await page.getByText('No open reports.').waitFor();

      const [settledReport] = (await admin.get('/v1/reports?status=settled')).body.items;
      expect(settledReport).toMatchObject({ outcome: 'acted', note: 'Redacted and banned.' });
      expect((await ada.get(`/v1/rooms/${room}/bans`)).body.items).toMatchObject([{ user: { id: bob.id } }]);
    });

    it('appear by themselves, and leave in their places those that are being read', async () => {
      const room = await settled();
      const report = async (reason: string) => {
        const { id } = await bob.says(room, reason);
        return (await ada.post(`/v1/rooms/${room}/messages/${id}/reports`, { reason })).body.id as string;
      };
      await tab.goTo('/reports');
      await page.getByText('No open reports.').waitFor();
      const first = await report('The first.');
      const second = await report('The second.');
      const articles = page.getByRole('article');
      await articles.nth(1).waitFor();
      expect(await articles.count()).toBe(2);

      await admin.post(`/v1/rooms/${room}/reports/${first}/settle`, { outcome: 'dismissed' });
      await report('The third.');
      await page.getByText('The list has changed.').waitFor();
      expect(await articles.evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))).toEqual([
        'The first.',
        'The second.',
      ]);
      await button('Show changes').click();
      await page.getByRole('article', { name: 'The third.' }).waitFor();
      expect(await page.getByRole('article', { name: 'The first.' }).count()).toBe(0);
      expect(second).toBeTruthy();
    });
  });

  describe('members', () => {
    it('are muted for a time, and may speak again', async () => {
      const room = await settled();
      await tab.goTo(`/rooms/${room}/show/members`);
      await sayWhy();
      await button(`More about ${bob.username}`).click();
      await page.getByRole('menuitem', { name: 'Mute …' }).click();
      await dialog().getByRole('textbox', { name: 'Reason' }).fill('Too loud.');
      await inDialog('Mute').click();
      await page.getByText(`${bob.username} was muted.`).waitFor();
      const muted = async () =>
        (await ada.all(`/v1/rooms/${room}/members`)).find(({ userId }) => userId === bob.id).mutedUntil;
      expect(Date.parse(await muted())).toBeGreaterThan(Date.now());

      await dialog().waitFor({ state: 'hidden' });
      await button(`More about ${bob.username}`).click();
      await page.getByRole('menuitem', { name: 'Unmute' }).click();
      await page.getByText(`${bob.username} can post again.`).waitFor();
      expect(await muted()).toBe(null);
    });

    it('are banned with a reason and an end, and let in again; bans by others appear', async () => {
      const room = await settled();
      await tab.goTo(`/rooms/${room}/show/members`);
      await sayWhy();
      await page.getByText('Nobody is banned from this room.').waitFor();
      await button(`More about ${bob.username}`).click();
      await page.getByRole('menuitem', { name: 'Ban …' }).click();
      await dialog().getByRole('textbox', { name: 'Reason' }).fill('Rude.');
      await dialog().getByRole('combobox', { name: 'Until' }).click();
      await page.getByRole('option', { name: '1 week' }).click();
      await inDialog('Ban').click();
      await page.getByRole('cell', { name: 'Rude.' }).waitFor();
      const [ban] = (await ada.get(`/v1/rooms/${room}/bans`)).body.items;
      expect(Date.parse(ban.until)).toBeGreaterThan(Date.now() + 6 * 86_400_000);
      await button(`Lift the ban on ${bob.username}`).click();
      await page.getByText('Nobody is banned from this room.').waitFor();
      await ada.put(`/v1/rooms/${room}/bans/${bob.id}`, { reason: 'By another.' });
      await page.getByRole('cell', { name: 'By another.' }).waitFor();
    });

    it('become owners in the place of others', async () => {
      const room = await settled();
      await tab.goTo(`/rooms/${room}/show/members`);
      await sayWhy();
      await button(`More about ${bob.username}`).click();
      await page.getByRole('menuitem', { name: 'Make sole owner …' }).click();
      await inDialog('Make sole owner').click();
      await page.getByText(`${bob.username} is now Owner.`).waitFor();
      const roles = (await ada.all(`/v1/rooms/${room}/members`)).map(({ userId, role }) => [userId, role]);
      expect(Object.fromEntries(roles)).toEqual({ [ada.id]: 'moderator', [bob.id]: 'owner' });
    });
  });

  describe('invitations', () => {
    it('to the server are made, used, looked into and revoked', async () => {
      await tab.goTo('/invitations');
      await page.getByText('No invitations yet.').waitFor();
      await button('Invite').click();
      await dialog().getByRole('textbox', { name: 'Number of people' }).fill('2');
      await inDialog('Create invitation').click();
      const code = await dialog().getByRole('textbox', { name: 'Code' }).inputValue();
      expect(page.url()).not.toContain(code);
      await inDialog('I have saved it').click();
      expect(await page.content()).not.toContain(code);

      const username = freshName();
      const visitor = new Visitor(service.url);
      expect((await visitor.post('/v1/auth/register', { username, password, invitation: code })).status).toBe(201);
      await page.getByRole('cell', { name: '1 of 2' }).waitFor();
      await button('Used by').click();
      await dialog().getByRole('link', { name: username }).waitFor();
      await inDialog('Close').click();

      await button('Revoke').click();
      expect(await inDialog('Revoke').isDisabled()).toBe(true);
      await dialog()
        .getByRole('textbox', { name: /to confirm/ })
        .fill('revoke');
      await inDialog('Revoke').click();
      await page.getByRole('cell', { name: 'Revoked' }).waitFor();
      expect((await visitor.post('/v1/invitations/look-up', { code })).status).toBe(404);
    });

    it('to a room are made in its tab', async () => {
      const room = await settled({ visibility: 'private' });
      await tab.goTo(`/rooms/${room}/show/invitations`);
      await button('Invite').click();
      await dialog().getByRole('combobox', { name: 'Role' }).click();
      await page.getByRole('option', { name: 'Guest' }).click();
      await inDialog('Create invitation').click();
      const invitation = await dialog().getByRole('textbox', { name: 'Code' }).inputValue();
      await inDialog('I have saved it').click();
      const guest = await register(service.url);
      const { body } = await guest.post(`/v1/rooms/${room}/members`, { invitation });
      expect(body.role).toBe('guest');
    });
  });

  describe('webhooks', () => {
    it('outgoing are added, paused, resumed, given another secret and removed', async () => {
      const room = await settled();
      await tab.goTo(`/rooms/${room}/show/webhooks`);
      await page.getByText('No outgoing webhooks yet.').waitFor();
      await button('Add outgoing webhook').click();
      await dialog().getByRole('textbox', { name: 'URL' }).fill('http://10.0.0.1/inside');
      await inDialog('Add').click();
      await dialog()
        .getByRole('alert')
        .getByText(/\(trace .+\)/)
        .waitFor();
      await dialog().getByRole('textbox', { name: 'URL' }).fill('https://hooks.example.org/verbatim');
      await inDialog('Add').click();
      const secret = dialog().getByRole('textbox', { name: 'Signing secret' });
      const first = await secret.inputValue();
      expect(first).toMatch(/^whsec_/);
      await inDialog('I have saved it').click();

      const webhook = page.getByRole('article', { name: 'https://hooks.example.org/verbatim' });
      await webhook.getByRole('button', { name: 'Pause' }).click();
      await webhook.getByText('Paused').waitFor();
      await webhook.getByRole('button', { name: 'Resume' }).click();
      await webhook.getByText('Sending').waitFor();

      await webhook.getByRole('button', { name: 'New secret' }).click();
      await dialog()
        .getByRole('textbox', { name: /to confirm/ })
        .fill('hooks.example.org');
      await inDialog('New secret').click();
      await eventually(
        () => secret.inputValue(),
        (shown) => shown !== first && shown.startsWith('whsec_'),
      );
      await inDialog('I have saved it').click();

      await webhook.getByRole('button', { name: 'Remove' }).click();
      await dialog()
        .getByRole('textbox', { name: /to confirm/ })
        .fill('hooks.example.org');
      await inDialog('Remove').click();
      await page.getByText('No outgoing webhooks yet.').waitFor();
    });

    it('incoming are added, good for posting, and removed', async () => {
      const room = await settled();
      await tab.goTo(`/rooms/${room}/show/webhooks`);
      await button('Add incoming webhook').click();
      await dialog().getByRole('textbox', { name: 'Bot name' }).fill('Build server');
      await inDialog('Add').click();
      const address = await dialog().getByRole('textbox', { name: 'URL to post to' }).inputValue();
      await inDialog('I have saved it').click();
      const path = address.slice(service.url.length);
      expect((await new Visitor(service.url).post(path, { text: 'Build 512 is green.' })).status).toBe(201);

      await button('Remove Build server').click();
      await dialog()
        .getByRole('textbox', { name: /to confirm/ })
        .fill('Build server');
      await inDialog('Remove').click();
      await page.getByText('No incoming webhooks yet.').waitFor();
    });
  });

  describe('what was said', () => {
    it('is found by its words, and read where it was said', async () => {
      const room = await admin.room();
      for (let i = 1; i <= 130; i += 1) await admin.says(room, `message ${i}${i === 70 ? ' about beetroot' : ''}`);
      const found = `/v1/search?room=${room}&q=beetroot`;
      await eventually(
        () => admin.get(found),
        ({ body }) => body.items.length === 1,
      );
      await tab.goTo(`/rooms/${room}/show/messages`);
      await page.getByRole('searchbox', { name: 'Search this room' }).fill('beetroot');
      await page.keyboard.press('Enter');
      await page.getByRole('region', { name: 'Messages found' }).getByText('message 70 about beetroot').click();
      const past = page.getByRole('region', { name: 'Earlier messages' });
      await past.getByText('message 70 about beetroot').waitFor();
      expect(await past.locator('[aria-current]').textContent()).toContain('message 70 about beetroot');
      expect(await past.getByText('message 70 about beetroot').isVisible()).toBe(true);

      const place = async () => (await past.getByText('message 70 about beetroot').boundingBox())?.y ?? 0;
      const before = await place();
      const grows = async (name: string, until: string) => {
        // Not clicked, since that would scroll there.
        await past.getByRole('button', { name }).dispatchEvent('click');
        await past.getByText(until, { exact: true }).waitFor({ state: 'attached' });
        expect(Math.abs((await place()) - before)).toBeLessThan(1);
      };
      await grows('Show later messages', 'message 130');
      await grows('Show earlier messages', 'message 1');
      await admin.says(room, 'message 131');

      await button('Back to newest').click();
      await page.getByRole('log').getByText('message 131').waitFor();
    });

    it('is reached by a date', async () => {
      const room = await admin.room();
      await admin.says(room, 'said today');
      await tab.goTo(`/rooms/${room}/show/messages`);
      const past = page.getByRole('region', { name: 'Earlier messages' });
      await page.getByLabel('Date', { exact: true }).fill('2020-01-31');
      await button('Go to date').click();
      await past.getByText('This is the beginning of the room.').waitFor();
      await past.getByText('said today').waitFor();
      await page.getByLabel('Date', { exact: true }).fill('2999-01-31');
      await button('Go to date').click();
      await past.getByText('said today').waitFor();
    });
  });

  describe('the list of rooms', () => {
    it('closes many at once, for one reason, once it is confirmed by typing', async () => {
      const prefix = freshName();
      const ids = [await ada.room({ name: `${prefix} a` }), await ada.room({ name: `${prefix} b` })];
      await tab.goTo(`/rooms?filter=${encodeURIComponent(JSON.stringify({ q: prefix }))}`);
      await page
        .getByRole('cell', { name: `${prefix} b` })
        .first()
        .waitFor();
      await page.getByRole('checkbox', { name: 'Select all' }).check();
      await button(/^Close$/).click();
      await dialog().getByRole('textbox', { name: 'Reason' }).fill('Nobody is there any more.');
      expect(await inDialog('Close').isDisabled()).toBe(true);
      await dialog()
        .getByRole('textbox', { name: /to confirm/ })
        .fill('close 2');
      await inDialog('Close').click();
      await dialog().getByText('2 of 2 done.').waitFor();
      expect(await dialog().getByText('Done', { exact: true }).count()).toBe(2);
      for (const id of ids) expect((await admin.get(`/v1/rooms/${id}`)).body.status).toBe('closed');
      await inDialog('Close').click();
      await page.getByRole('cell', { name: 'Closed' }).nth(1).waitFor();
    });

    it('is selected from and closed on a phone as well', async () => {
      const prefix = freshName();
      const [first, second] = [await ada.room({ name: `${prefix} a` }), await ada.room({ name: `${prefix} b` })];
      const phone = await Tab.open(browser, service.url, { viewport: { width: 390, height: 844 } });
      page = phone.page;
      try {
        await phone.goTo(`/rooms?filter=${encodeURIComponent(JSON.stringify({ q: prefix }))}`);
        await phone.signIn(administrator);
        await page.getByRole('checkbox', { name: `Select ${prefix} b` }).check();
        await page.getByRole('toolbar', { name: '1 selected' }).getByRole('button', { name: 'Close' }).click();
        await dialog().getByRole('textbox', { name: 'Reason' }).fill('Nobody is there any more.');
        await dialog()
          .getByRole('textbox', { name: /to confirm/ })
          .fill('close 1');
        await inDialog('Close').click();
        await dialog().getByText('1 of 1 done.').waitFor();
        await inDialog('Close').click();
        await page.getByText('Closed', { exact: true }).waitFor();
        expect(await page.getByRole('checkbox', { name: `Select ${prefix} b` }).isDisabled()).toBe(true);
        const standings = [first, second].map(async (id) => (await admin.get(`/v1/rooms/${id}`)).body.status);
        expect(await Promise.all(standings)).toEqual(['open', 'closed']);
        await page.getByText(`${prefix} a`).click();
        await button('Close room').waitFor();
        await page.getByRole('tab', { name: 'Settings' }).click();
        await field('Topic').fill('From a phone');
        await button('Save').click();
        await page.getByText('Saved.').waitFor();
        expect(phone.complaints).toEqual([]);
      } finally {
        page = tab.page;
        await phone.close();
      }
    });

    it('shows what others change without moving what one reads', async () => {
      const prefix = freshName();
      const [older] = [await ada.room({ name: `${prefix} a` }), await ada.room({ name: `${prefix} b` })];
      const names = () =>
        page.getByRole('cell', { name: prefix }).evaluateAll((cells) => cells.map((cell) => cell.textContent));
      await tab.goTo(`/rooms?filter=${encodeURIComponent(JSON.stringify({ q: prefix }))}`);
      await page.getByRole('cell', { name: prefix }).nth(1).waitFor();
      expect(await names()).toEqual([`${prefix} b`, `${prefix} a`]);
      await ada.says(older, 'the latest activity');
      // Without the news over the socket the list would be read again only after a minute.
      await page.getByText('The list has changed.').waitFor({ timeout: 30_000 });
      expect(await names()).toEqual([`${prefix} b`, `${prefix} a`]);
      await button('Show changes').click();
      expect(await names()).toEqual([`${prefix} a`, `${prefix} b`]);
    });
  });

  it('shows auditors all of it, and no button that changes anything', async () => {
    const room = await settled();
    const { id } = await bob.says(room, 'something rude again');
    await ada.post(`/v1/rooms/${room}/messages/${id}/reports`, { reason: 'For auditors.' });
    await ada.post(`/v1/rooms/${room}/invitations`);
    await ada.post(`/v1/rooms/${room}/webhooks`, { url: 'https://hooks.example.org/auditors' });
    const auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });

    const other = await Tab.open(browser, service.url);
    const changing =
      /settle|ban|redact|mute|invite|revoke|add (an|outgoing|incoming)|pause|resume|remove|new secret|close room|^close$/i;
    const sees = async (place: string, what: string) => {
      await other.goTo(place);
      await other.page.getByText(what).first().waitFor();
      expect(await other.page.getByRole('button', { name: changing }).allTextContents()).toEqual([]);
    };
    await other.goTo('/reports');
    await other.signIn({ username: auditor.username, password });
    await sees('/reports', 'For auditors.');
    await sees('/invitations', 'Invitations let people create an account');
    await sees(`/rooms/${room}/show/invitations`, 'Valid');
    await sees(`/rooms/${room}/show/webhooks`, 'https://hooks.example.org/auditors');
    await sees('/rooms', 'Rooms');
    await other.goTo(`/rooms/${room}/show/members`);
    await other.page.getByRole('textbox', { name: 'Reason' }).fill('An audit.');
    await other.page.getByRole('button', { name: 'Read room' }).click();
    await other.page.getByText('Nobody is banned from this room.').waitFor();
    await sees(`/rooms/${room}/show/messages`, 'something rude again');
    expect(other.complaints).toEqual([]);
    await other.close();
  });
});
