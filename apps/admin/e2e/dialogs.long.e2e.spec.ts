import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';
import { seriousFaults } from './looks.testing.js';
import { type Settled, settle } from './settled.testing.js';

/** Where a dialog is opened from, and how: by buttons that are pressed one after the other, with the keyboard. */
interface Way {
  readonly place: (settled: Settled) => string;
  /** The first one is what has the focus again in the end. */
  readonly press: readonly (string | RegExp)[];
  /** What is chosen from the menu that the button opens. */
  readonly choose?: string;
  /** What is to be done first. */
  readonly before?: (page: Page) => Promise<unknown>;
  /** It is left by this button alone, having been typed into and sent off where it takes that to come to it. */
  readonly leave?: string;
  readonly fill?: string;
}

const inRoom =
  (tab: string) =>
  ({ room }: Settled): string =>
    `/rooms/${room}/show${tab}`;
const ofPerson =
  (tab: string) =>
  ({ person }: Settled): string =>
    `/users/${person}/show${tab}`;
const ofBot = ({ bot }: Settled): string => `/users/${bot}/show/tokens`;
const at = (place: string) => (): string => place;
const select = (name: string) => (page: Page) => page.getByRole('checkbox', { name }).check();
const rooms = at(`/rooms?filter=${encodeURIComponent(JSON.stringify({ q: 'engine' }))}`);
const people = at(`/users?filter=${encodeURIComponent(JSON.stringify({ q: 'ada' }))}`);

const ways: Record<string, Way> = {
  suspend: { place: ofPerson(''), press: ['Suspend'] },
  'reset-password': { place: ofPerson(''), press: ['Reset password'] },
  'reset-link': { place: ofPerson(''), press: ['Reset password', 'Reset password'], leave: 'Close' },
  deactivate: { place: ofPerson(''), press: ['Deactivate'] },
  'end-session': { place: ofPerson('/sessions'), press: [/^End the session/] },
  'sign-out': { place: ofPerson('/sessions'), press: ['Sign out everywhere'] },
  'revoke-token': { place: ofPerson('/tokens'), press: [/^Revoke/] },
  'make-token': { place: ofBot, press: ['Create token'] },
  'token-made': { place: ofBot, press: ['Create token', 'Create token'], fill: 'script', leave: 'Close' },
  'make-own-token': { place: at('/account/tokens'), press: ['Create token'] },
  'suspend-many': { place: people, press: ['Suspend'], before: select('Select all') },
  'reinstate-many': { place: people, press: ['Reinstate'], before: select('Select all') },
  'sign-out-many': { place: people, press: ['Sign out everywhere'], before: select('Select all') },
  'close-many': { place: rooms, press: ['Close'], before: select('Select all') },
  'close-room': { place: inRoom(''), press: ['Close room'] },
  'remove-member': { place: inRoom('/members'), press: [/^Remove Grace/] },
  mute: { place: inRoom('/members'), press: ['More about Grace Hopper'], choose: 'Mute …' },
  ban: { place: inRoom('/members'), press: ['More about Grace Hopper'], choose: 'Ban …' },
  'hand-over': { place: inRoom('/members'), press: ['More about Grace Hopper'], choose: 'Make sole owner …' },
  redact: { place: inRoom('/messages'), press: [/^Redact the message by/] },
  'copy-proof': {
    place: inRoom('/messages'),
    press: [/^More about the message by/],
    choose: 'Copy proof',
  },
  'erase-message': {
    place: inRoom('/messages'),
    press: [/^More about the message by/],
    choose: 'Erase message …',
  },
  'erase-person': { place: ofPerson(''), press: ['Erase person'] },
  'erase-room': { place: inRoom(''), press: ['Erase'], choose: 'The whole room …' },
  'erase-days': { place: inRoom(''), press: ['Erase'], choose: 'Days of the room …' },
  'hold-person': { place: ofPerson(''), press: ['Place hold'] },
  'hold-room': { place: inRoom(''), press: ['Place hold'] },
  'place-hold': { place: at('/holds'), press: ['Place hold'] },
  'lift-hold': { place: at('/holds'), press: ['Lift'] },
  'new-rule': { place: at('/retention'), press: ['New rule'] },
  'edit-rule': { place: at('/retention'), press: ['Edit'] },
  'remove-rule': { place: at('/retention'), press: ['Remove'] },
  invite: { place: inRoom('/invitations'), press: ['Invite'] },
  invited: { place: inRoom('/invitations'), press: ['Invite', 'Create invitation'], leave: 'I have saved it' },
  revoke: { place: inRoom('/invitations'), press: ['Revoke'] },
  uses: { place: at('/invitations'), press: ['Used by'] },
  'add-webhook': { place: inRoom('/webhooks'), press: ['Add outgoing webhook'] },
  'rotate-secret': { place: inRoom('/webhooks'), press: ['New secret'] },
  'remove-webhook': { place: inRoom('/webhooks'), press: ['Remove'] },
  'add-incoming': { place: inRoom('/webhooks'), press: ['Add incoming webhook'] },
  'incoming-added': {
    place: inRoom('/webhooks'),
    press: ['Add incoming webhook', 'Add'],
    fill: 'Feeds',
    leave: 'I have saved it',
  },
  'remove-incoming': { place: inRoom('/webhooks'), press: ['Remove Build server'] },
  settle: { place: at('/reports'), press: ['Settle'] },
  'redact-reported': {
    place: at('/reports'),
    press: [/^Redact the message by/],
    before: (page) => page.getByRole('button', { name: 'Show message' }).first().click(),
  },
  'ban-reported': { place: at('/reports'), press: [/^Ban /] },
  rebuild: { place: at('/projections'), press: ['Rebuild'] },
  maintenance: { place: at('/settings'), press: ['Start maintenance'] },
  proof: {
    place: at('/projections'),
    press: ['Rebuild', 'Rebuild'],
    before: async () => {
      ahead = 16 * 60;
    },
  },
  'save-query': { place: rooms, press: ['Add filter'], choose: 'Save current query...' },
};

let service: TestService;
/** How many seconds the service's clock is ahead, to expire recent confirmations. */
let ahead = 0;
let browser: Browser;
let settled: Settled;
let tab: Tab;
let page: Page;

describe.skipIf(!browserProgram)('each dialog of the dashboard', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    [service, browser] = await Promise.all([
      startTestService({ clock: () => new Date(Date.now() + ahead * 1_000) }),
      openBrowser(),
    ]);
    settled = await settle(service.url);
    const admin = await signIn(service.url);
    await admin.post('/v1/holds', { person: settled.person, reason: 'Case 7' });
    await admin.post('/v1/retention', { days: 400, reason: 'Policy 4' });
    const { body: invitation } = await admin.post('/v1/invitations', { uses: 2 });
    const guest = await register(service.url);
    await guest.post('/v1/auth/register', {
      username: 'invited',
      password: 'correct horse',
      invitation: invitation.code,
    });
    tab = await Tab.open(browser, service.url, { reducedMotion: 'reduce', colorScheme: 'light' });
    page = tab.page;
    await tab.goTo('/');
    await tab.signIn(administrator);
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });
  afterEach(async () => {
    ahead = 0;
    // Another page, so that what a failure left open is gone.
    await tab.goTo('/settings');
    expect(tab.complaints).toEqual([]);
  });

  const dialog = () => page.getByRole('dialog');
  const focused = () => page.locator(':focus');

  /** Opens it with the keyboard; answers what it was opened with. */
  async function open({ place, press, choose, before, fill }: Way): Promise<Locator> {
    await tab.goTo(place(settled));
    const [first, ...then] = press;
    const opener = page.getByRole('button', { name: first, exact: true }).first();
    await before?.(page);
    await opener.press('Enter');
    if (choose) await page.getByRole('menuitem', { name: choose, exact: true }).press('Enter');
    await dialog().waitFor();
    if (fill) await dialog().getByRole('textbox').first().fill(fill);
    for (const name of then) await dialog().getByRole('button', { name, exact: true }).press('Enter');
    return opener;
  }

  it.each(Object.entries(ways))('%s', async (name, way) => {
    const opener = await open(way);
    if (way.leave) await dialog().getByRole('button', { name: way.leave }).waitFor();
    const faults: Record<string, unknown> = {};
    for (const colours of ['light', 'dark'] as const) {
      await tab.switchTo(colours);
      await tab.screenshot(`${colours}-dialog-${name}`);
      const found = await seriousFaults(tab);
      if (found.length > 0) faults[colours] = found;
    }
    await tab.switchTo('light');
    expect(faults).toEqual({});

    // The focus begins in the dialog and stays there.
    expect(await dialog().and(focused()).or(dialog().locator(focused())).count()).toBe(1);
    for (let i = 0; i < 8; i++) await page.keyboard.press('Tab');
    expect(await dialog().and(focused()).or(dialog().locator(focused())).count()).toBe(1);

    await page.keyboard.press('Escape');
    if (way.leave) await dialog().getByRole('button', { name: way.leave }).press('Enter');
    await dialog().waitFor({ state: 'hidden' });
    await expect.poll(() => opener.and(focused()).count()).toBe(1);
  });
});
