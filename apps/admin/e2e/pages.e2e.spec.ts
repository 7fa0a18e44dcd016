import { AxeBuilder } from '@axe-core/playwright';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn } from '../../api/src/testing/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/testing/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let service: TestService;
let browser: Browser;
let room: string;
let person: string;

describe.skipIf(!browserProgram)('each page of the dashboard', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
    ({ room, person } = await settle(service.url));
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const pages = (): Record<string, { place: string; shows: string }> => ({
    home: { place: '/', shows: 'Ready' },
    users: { place: '/users', shows: 'Ada Lovelace' },
    'user-show': { place: `/users/${person}/show`, shows: 'Ada Lovelace' },
    'user-edit': { place: `/users/${person}`, shows: 'Save' },
    rooms: { place: '/rooms', shows: 'engine room' },
    'rooms-none': { place: '/rooms?filter=%7B%22q%22%3A%22nothing%22%7D', shows: 'No Rooms found' },
    'room-create': { place: '/rooms/create', shows: 'Anyone joins' },
    'room-overview': { place: `/rooms/${room}/show`, shows: 'analytical engine' },
    'room-messages': { place: `/rooms/${room}/show/messages`, shows: 'message 40' },
    'room-members': { place: `/rooms/${room}/show/members`, shows: 'Grace Hopper' },
    'room-events': { place: `/rooms/${room}/show/events`, shows: 'MessagePosted' },
    'room-settings': { place: `/rooms/${room}/show/settings`, shows: 'Anyone joins' },
    projections: { place: '/projections', shows: 'People, rooms, messages' },
    settings: { place: '/settings', shows: 'Who may make an account' },
  });

  describe.each([
    { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 900 } },
    { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 900 } },
    { name: 'phone', colorScheme: 'light', viewport: { width: 390, height: 844 } },
  ] as const)('$name', ({ name, ...look }) => {
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
        const faults = await seriousFaults(tab);
        if (faults.length > 0) found[page] = faults;
      };
      await look('sign-in');
      await tab.signIn(administrator);
      for (const [page, { place, shows }] of Object.entries(pages())) {
        await tab.goTo(place);
        await tab.page.getByText(shows).first().waitFor();
        await tab.page.getByText('Collecting figures').first().waitFor({ state: 'hidden' });
        await look(page);
      }
      expect(found).toEqual({});
      expect(tab.complaints).toEqual([]);
    });
  });
});

/** What axe finds that is serious or worse, as far as one must know to mend it. */
async function seriousFaults(tab: Tab): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page: tab.page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({
      id,
      nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => [html, failureSummary]),
    }));
}

/** People and rooms with a history, made as clients would. */
async function settle(url: string): Promise<{ room: string; person: string }> {
  const admin = await signIn(url);
  const [ada, grace] = [await register(url, 'ada'), await register(url, 'grace')];
  await ada.patch('/v1/me', { displayName: 'Ada Lovelace' });
  await grace.patch('/v1/me', { displayName: 'Grace Hopper' });
  for (const name of ['linus', 'margaret', 'barbara', 'edsger']) await register(url, name);
  const suspended = await register(url, 'mallory');
  await admin.patch(`/v1/users/${suspended.id}`, { suspended: true });
  const { id } = (await ada.post('/v1/rooms', { name: 'engine room', topic: 'Notes on the analytical engine' })).body;
  await grace.post(`/v1/rooms/${id}/members`, {});
  await ada.post(`/v1/rooms/${id}/members`, { userId: admin.id });
  for (let i = 1; i <= 40; i += 1) {
    const who = i % 3 === 0 ? grace : ada;
    const { body } = await who.post(`/v1/rooms/${id}/messages`, {
      text: `message ${i}${i % 7 === 0 ? `\n${'and more of it '.repeat(12)}` : ''}`,
    });
    if (i === 38) await who.delete(`/v1/rooms/${id}/messages/${body.id}`, { reason: 'Was wrong.' });
  }
  await grace.post('/v1/rooms', { name: 'harbour', visibility: 'private' });
  await grace.put('/v1/direct/ada');
  const { id: closed } = (await ada.post('/v1/rooms', { name: 'old attic', visibility: 'hidden' })).body;
  await ada.post(`/v1/rooms/${closed}/close`, { reason: 'Moved.' });
  return { room: id, person: ada.id };
}
