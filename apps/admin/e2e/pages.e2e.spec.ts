import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';
import { seriousFaults } from './looks.testing.js';
import { settle } from './settled.testing.js';

let service: TestService;
let browser: Browser;
let room: string;
let person: string;
let suspended: string;

describe.skipIf(!browserProgram)('each page of the dashboard', { timeout: 480_000 }, () => {
  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
    ({ room, person, suspended } = await settle(service.url));
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** `opens` is a button whose dialog or menu is looked at as well. */
  const pages = (): Record<string, { place: string; shows: string; opens?: string }> => ({
    home: { place: '/', shows: 'Everything works' },
    account: { place: '/account', shows: 'The name others see.' },
    'account-password': { place: '/account/password', shows: 'Current password' },
    'account-second-factor': { place: '/account/second-factor', shows: 'Only your password protects' },
    'account-sessions': { place: '/account/sessions', shows: 'This session' },
    'account-tokens': { place: '/account/tokens', shows: 'You have no tokens.', opens: 'Create token' },
    'account-appearance': { place: '/account/appearance', shows: 'Colours' },
    users: { place: '/users', shows: 'Ada Lovelace' },
    'user-show': { place: `/users/${person}/show`, shows: 'Ada Lovelace' },
    'user-rooms': { place: `/users/${person}/show/rooms`, shows: 'engine room' },
    'user-sessions': { place: `/users/${person}/show/sessions`, shows: 'Registration' },
    'user-tokens': { place: `/users/${person}/show/tokens`, shows: 'build server' },
    'user-events': { place: `/users/${person}/show/events`, shows: 'Signed in. Method: Registration.' },
    'user-create': { place: '/users/create', shows: 'Person, signs in with a password' },
    'user-import': { place: '/users/import', shows: 'Choose a file' },
    reset: { place: '/reset?token=of-nobody', shows: 'Choose a password' },
    'user-edit': { place: `/users/${person}`, shows: 'Save' },
    sessions: { place: '/sessions', shows: 'This session', opens: 'End' },
    'sessions-none': { place: `/sessions?filter={"user":"${suspended}"}`, shows: 'Not signed in anywhere' },
    tokens: { place: '/tokens', shows: 'build server', opens: 'Revoke' },
    rooms: { place: '/rooms', shows: 'engine room' },
    'rooms-none': { place: '/rooms?filter=%7B%22q%22%3A%22nothing%22%7D', shows: 'No Rooms found' },
    reports: { place: '/reports', shows: 'This is spam.', opens: 'Settle' },
    invitations: { place: '/invitations', shows: '0 of 5', opens: 'Revoke' },
    'room-create': { place: '/rooms/create', shows: 'Anyone can find and join it.' },
    'room-overview': { place: `/rooms/${room}/show`, shows: 'analytical engine' },
    'room-messages': { place: `/rooms/${room}/show/messages`, shows: 'message 40' },
    'room-members': { place: `/rooms/${room}/show/members`, shows: 'Grace Hopper', opens: 'More about Grace Hopper' },
    'room-events': { place: `/rooms/${room}/show/events`, shows: 'MessagePosted' },
    'room-invitations': { place: `/rooms/${room}/show/invitations`, shows: '0 of 1', opens: 'Invite' },
    'room-webhooks': { place: `/rooms/${room}/show/webhooks`, shows: 'Build server', opens: 'Add outgoing webhook' },
    'room-settings': { place: `/rooms/${room}/show/settings`, shows: 'Anyone can find and join it.' },
    audit: { place: '/audit', shows: 'What administrators and auditors did' },
    erasures: { place: '/erasures', shows: 'Nothing was erased yet.' },
    retention: { place: '/retention', shows: 'There are no rules', opens: 'New rule' },
    holds: { place: '/holds', shows: 'There are no legal holds.', opens: 'Place hold' },
    'export-create': { place: '/exports/create', shows: 'Only messages in which' },
    transparency: { place: '/transparency', shows: 'Verifier keys' },
    projections: { place: '/projections', shows: 'People, rooms, messages' },
    settings: { place: '/settings', shows: 'Who can register' },
  });

  const looks = [
    { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
    { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
    { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
  ] as const;
  // The others differ in colours and width only, and each takes a minute.
  const long = process.env.LONG === '1';
  describe.each(long ? looks : looks.slice(0, 1))('$name', ({ name, ...look }) => {
    let tab: Tab;
    beforeAll(async () => {
      tab = await Tab.open(browser, service.url, { ...look, reducedMotion: 'reduce' });
      await tab.goTo('/');
      await tab.page.getByRole('button', { name: 'Sign in' }).waitFor();
    });
    afterAll(() => tab.close());

    it('has nothing that keeps people out', async () => {
      const found: Record<string, unknown[]> = {};
      const look = async (page: string) => {
        await tab.screenshot(`${name}-${page}`);
        if (!long) await tab.screenshotInDark(`dark-${page}`);
        const faults = await seriousFaults(tab);
        if (faults.length > 0) found[page] = faults;
      };
      await look('sign-in');
      await tab.signIn(administrator);
      for (const [page, { place, shows, opens }] of Object.entries(pages())) {
        await tab.goTo(place);
        await tab.page.getByText(shows).first().waitFor();
        await look(page);
        if (!opens) continue;
        await tab.page.getByRole('button', { name: opens }).first().click();
        const opened = tab.page.getByRole('dialog').or(tab.page.getByRole('menu', { name: opens }));
        await opened.waitFor();
        await look(`${page}-opened`);
        await tab.page.keyboard.press('Escape');
        await opened.waitFor({ state: 'hidden' });
      }
      expect(found).toEqual({});
      expect(tab.complaints).toEqual([]);
    });
  });
});
