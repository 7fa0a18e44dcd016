import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

let service: TestService;
let browser: Browser;
let admin: TestPerson;
let tab: Tab;
let page: Page;
let room: string;
let person: TestPerson;
let erasure: string;

/** Names without a space: 80 letters of Latin, Han and Arabic script. */
const names = [
  'Donaudampfschifffahrtsgesellschaft'.repeat(3).slice(0, 80),
  '東'.repeat(80),
  'محمدعبدالرحمنالدين'.repeat(5).slice(0, 80),
];
const hebrew = 'שלום לכולם, מה שלומכם היום?';

describe.skipIf(!browserProgram)('the pages of the dashboard', { timeout: 300_000 }, () => {
  beforeAll(async () => {
    [service, browser] = await Promise.all([startTestService(), openBrowser()]);
    admin = await signIn(service.url);
    for (const [i, displayName] of names.entries()) {
      const somebody = await register(service.url, `${'x'.repeat(30)}_${i}`);
      await somebody.patch('/v1/me', { displayName });
      const id = await somebody.room({ name: displayName, topic: displayName });
      await somebody.post(`/v1/rooms/${id}/members`, { userId: admin.id });
      for (const text of ['hello there', hebrew, 'w'.repeat(300)]) await somebody.says(id, text);
      await somebody.post(`/v1/rooms/${id}/close`, { reason: displayName });
      [room, person] = [id, somebody];
    }
    await admin.patch(`/v1/users/${person.id}`, { suspended: true, reason: names[0] });
    for (const scope of [{ person: person.id }, { room }]) {
      await admin.post('/v1/holds', { ...scope, reason: names[0] });
      const { body } = await admin.post('/v1/erasures', { ...scope, ground: 'other', reason: names[2] });
      erasure = body.id;
    }
    await admin.post('/v1/retention', { room, days: 400, reason: names[0] });
    tab = await Tab.open(browser, service.url);
    page = tab.page;
    await tab.goTo('/');
    await tab.signIn(administrator);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const pages = (): Record<string, { place: string; shows: string | RegExp; title: RegExp }> => ({
    home: { place: '/', shows: 'People connected', title: /^Home · Verbatim$/ },
    people: { place: '/users', shows: 'Display name', title: /^People · Verbatim$/ },
    person: { place: `/users/${person.id}/show`, shows: 'is suspended', title: /^Person .+ · Verbatim$/ },
    account: { place: '/account', shows: 'Display name', title: /^My account · Verbatim$/ },
    rooms: { place: '/rooms', shows: 'Last activity', title: /^Rooms · Verbatim$/ },
    room: { place: `/rooms/${room}/show`, shows: 'Closed by', title: /^Room .+ · Verbatim$/ },
    messages: { place: `/rooms/${room}/show/messages`, shows: 'hello there', title: /^Room .+ · Verbatim$/ },
    members: { place: `/rooms/${room}/show/members`, shows: 'Muted until', title: /^Room .+ · Verbatim$/ },
    events: { place: `/rooms/${room}/show/events`, shows: /closed the room/, title: /^Room .+ · Verbatim$/ },
    sessions: { place: '/sessions', shows: 'This session', title: /^Sessions · Verbatim$/ },
    reports: { place: '/reports', shows: 'No open reports', title: /^Reports · Verbatim$/ },
    settings: { place: '/settings', shows: 'Who can register', title: /^Settings · Verbatim$/ },
    erasures: { place: '/erasures', shows: 'Person', title: /^Erasures · Verbatim$/ },
    erasure: { place: `/erasures/${erasure}/show`, shows: /legal holds? forbids? it/, title: /^Erasure · Verbatim$/ },
    retention: { place: '/retention', shows: '400 days', title: /^Retention · Verbatim$/ },
    holds: { place: '/holds', shows: 'Placed', title: /^Legal holds · Verbatim$/ },
    log: { place: '/transparency', shows: 'Verifier keys', title: /^Transparency log · Verbatim$/ },
    projections: { place: '/projections', shows: 'Built up to position', title: /^Read models · Verbatim$/ },
  });

  it('are as wide as the window at any width, whatever people and rooms are called', async () => {
    const tooWide: string[] = [];
    for (const [name, { place, shows }] of Object.entries(pages())) {
      await page.setViewportSize({ width: 1280, height: 900 });
      await tab.goTo(place);
      await page.getByText(shows).first().waitFor();
      for (const width of [320, 390, 600, 768, 1024, 1280, 1920]) {
        await page.setViewportSize({ width, height: 900 });
        await page.waitForTimeout(250);
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth');
        if (wide > width) tooWide.push(`${name} at ${width}: ${wide}`);
        if ([390, 768, 1280].includes(width)) await tab.screenshot(`long-${name}-${width}`);
      }
    }
    await page.setViewportSize({ width: 1280, height: 900 });
    expect(tooWide).toEqual([]);
  });

  it('each have a title of their own in the tab', async () => {
    for (const { place, shows, title } of Object.values(pages())) {
      await tab.goTo(place);
      await page.getByText(shows).first().waitFor();
      await expect.poll(() => page.title(), { timeout: 15_000 }).toMatch(title);
    }
  });

  it('show what is written from right to left on the right', async () => {
    await tab.goTo(`/rooms/${room}/show/messages`);
    const message = page.getByText(hebrew, { exact: true });
    await message.waitFor();
    const direction = await page.evaluate<{ rtl: string; gap: number; before: number }>(`(() => {
      const element = [...document.querySelectorAll('[dir=auto]')].find((one) => one.textContent === '${hebrew}');
      const text = document.createRange();
      text.selectNodeContents(element);
      const [words, place] = [text.getBoundingClientRect(), element.getBoundingClientRect()];
      const rtl = getComputedStyle(element).direction;
      return { rtl, gap: place.right - words.right, before: words.left - place.left };
    })()`);
    expect(direction.rtl).toBe('rtl');
    expect(direction.gap).toBeLessThan(2);
    expect(direction.before).toBeGreaterThan(50);
  });

  it('send at most one request in ten seconds while nobody does anything', async () => {
    const idle = await Tab.open(browser, service.url);
    await idle.page.clock.install();
    await idle.goTo('/');
    await idle.signIn(administrator);
    /** Lets seconds pass for the page, one at a time, and returns in which of them it sent a request. */
    const requestsIn = async (seconds: number) => {
      const at: number[] = [];
      let second = 0;
      const count = () => at.push(second);
      idle.page.on('request', count);
      for (; second < seconds; second += 1) {
        await idle.page.clock.runFor(1_000);
        await idle.page.waitForLoadState('networkidle');
      }
      idle.page.off('request', count);
      return at;
    };
    const busy: Record<string, number> = {};
    for (const [name, { place, shows }] of Object.entries(pages())) {
      if (!['home', 'people', 'members', 'messages', 'settings', 'account'].includes(name)) continue;
      await idle.goTo(place);
      await idle.page.getByText(shows).first().waitFor();
      // Changes that arrive while the page opens, or soon after, make it read once more.
      for (let round = 0; round < 5 && (await requestsIn(11)).length > 0; round += 1);
      const at = await requestsIn(25);
      const most = Math.max(0, ...at.map((from) => at.filter((other) => other >= from && other < from + 10).length));
      if (most > 1) busy[name] = most;
    }
    expect(busy).toEqual({});
    await idle.close();
  });

  it('have rows that are links: for the keyboard, and to other tabs', async () => {
    await tab.goTo('/users');
    const link = page.getByRole('row').getByRole('link', { name: 'admin' });
    await link.waitFor();
    const [second] = await Promise.all([
      page.context().waitForEvent('page'),
      // Anywhere in the row.
      page
        .getByRole('row')
        .filter({ has: page.getByRole('link', { name: 'admin' }) })
        .click({ modifiers: ['Control'], position: { x: 500, y: 15 } }),
    ]);
    await second.getByRole('tab', { name: 'Profile' }).waitFor();
    await second.close();
    await link.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: 'Profile' }).waitFor();
  });

  it('keep the place in the history of a room over a reload, and mark what was looked for', async () => {
    const long = await admin.room();
    for (let i = 1; i <= 120; i += 1) await admin.says(long, `message ${i}${i === 10 ? ' about Ärger' : ''}`);
    await tab.goTo(`/rooms/${long}/show/messages`);
    const said = (text: string) => page.getByText(text, { exact: true });
    await said('message 120').waitFor();
    await page.getByRole('searchbox', { name: 'Search this room' }).fill('Ärger');
    await page.getByRole('button', { name: 'Search' }).click();
    const results = page.getByRole('region', { name: 'Messages found' });
    await results.locator('mark').getByText('Ärger').waitFor();
    await results.getByText('message 10').click();
    const history = page.getByRole('region', { name: 'Earlier messages' });
    await history.locator('mark').getByText('Ärger').waitFor();
    await page.waitForTimeout(1_000);
    await page.reload();
    await history.getByText('message 10 about').waitFor();
    await page.getByRole('button', { name: 'Back to newest' }).click();
    await said('message 120').waitFor();
    await page.reload();
    await page.getByRole('log').getByText('message 120', { exact: true }).waitFor();
  });

  it('ask before changes are lost', async () => {
    await tab.goTo('/rooms/create');
    await page.getByRole('textbox', { name: /^name/i }).fill('a room to be');
    await page.getByRole('menuitem', { name: 'People' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Stay' }).click();
    expect(await page.getByRole('textbox', { name: /^name/i }).inputValue()).toBe('a room to be');
    await page.getByRole('menuitem', { name: 'People' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Leave anyway' }).click();
    await page.getByRole('row').first().waitFor();
    expect(tab.complaints).toEqual([]);
  });

  it('show auditors what is hidden from them, and are never blank', async () => {
    const auditor = await register(service.url);
    await admin.patch(`/v1/users/${auditor.id}`, { role: 'auditor' });
    const other = await Tab.open(browser, service.url);
    await other.goTo(`/users/${person.id}/show`);
    await other.signIn({ username: auditor.username, password: 'correct horse' });
    await other.page.getByText('Hidden from you').first().waitFor();
    for (const place of ['/users/create', '/users/import', '/rooms/create', `/users/${person.id}`]) {
      await other.goTo(place);
      await other.page
        .locator('#main-content')
        .getByText(/Only administrators|Access denied|permission/i)
        .first()
        .waitFor();
    }
    expect(other.complaints).toEqual([]);
    await other.close();
  });
});
