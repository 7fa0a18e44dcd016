import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { register, signIn, type TestPerson } from '../../api/src/tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../api/src/tests/harness/test-service.testing.js';
import { browserProgram, openBrowser, Tab } from './browser.testing.js';

const images = fileURLToPath(new URL('../../../docs/images/', import.meta.url));
const DAY_MS = 86_400_000;
const DAYS = 21;

const people = {
  ada: 'Ada Lovelace',
  grace: 'Grace Hopper',
  linus: 'Linus Berg',
  margaret: 'Margaret Hamilton',
  edsger: 'Edsger Visser',
} as const;
type Name = keyof typeof people;
const newcomers = ['radia', 'alan', 'katherine', 'tim', 'barbara', 'donald'];

const conversation: readonly (readonly [Name, string])[] = [
  ['grace', 'Good morning! The new build is on staging. Could someone try the import before lunch?'],
  ['ada', 'On it. Which log should I use, the one from March?'],
  ['grace', 'Yes, the March one. It has the broken timestamps.'],
  ['linus', 'I fixed those on Friday. Lines without a date now take the date of the line before.'],
  ['ada', 'Imported: 48,211 messages in 19 seconds. The counts match.'],
  ['margaret', 'Very nice. And running it again adds nothing?'],
  ['ada', 'Nothing. I tried it twice, and once with the process killed halfway through.'],
  ['margaret', 'Then I am happy. Shall we ship it this afternoon?'],
  ['edsger', 'The docs are ready as well. I added a section on encodings.'],
  ['grace', 'Shipping at three. Thank you, everyone!'],
];

/** Takes the screenshots of the documentation: PICTURES=1, or `npm run pictures`. */
describe.skipIf(!browserProgram || process.env.PICTURES !== '1')('screenshots', { timeout: 300_000 }, () => {
  let service: TestService;
  let browser: Browser;
  let daysAgo = DAYS;
  const crowd = {} as Record<Name, TestPerson>;
  let room: string;

  beforeAll(async () => {
    const clock = () => new Date(Date.now() - daysAgo * DAY_MS);
    [service, browser] = await Promise.all([startTestService({ clock }), openBrowser()]);
    for (const [name, displayName] of Object.entries(people)) {
      crowd[name as Name] = await register(service.url, name);
      await crowd[name as Name].patch('/v1/me', { displayName });
    }
    const rooms = await makeRooms();
    room = rooms[0] as string;
    const names = Object.keys(people) as Name[];
    for (; daysAgo > 0; daysAgo--) {
      // Access tokens expire within minutes, and each round is another day.
      for (const name of names) crowd[name] = await signIn(service.url, { username: name, password: 'correct horse' });
      const posts = daysAgo % 7 < 2 ? 3 : 8 + ((daysAgo * 7) % 11);
      for (let i = 0; i < posts; i++) {
        const [name, text] = conversation[(i + daysAgo) % conversation.length] as (typeof conversation)[number];
        await crowd[name].says(rooms[i % rooms.length] as string, text);
      }
      if (daysAgo % 4 === 1) await register(service.url, newcomers.pop());
    }
    for (const name of names) crowd[name] = await signIn(service.url, { username: name, password: 'correct horse' });
    for (const [name, text] of conversation) await crowd[name].says(room, text);
    await Promise.all(names.map((name) => crowd[name].connect()));
    await crowd.ada.says(rooms[1] as string, 'Tea at four?');
    const { id } = await crowd.linus.says(rooms[2] as string, 'Buy my soap! Best soap!');
    await crowd.ada.post(`/v1/rooms/${rooms[2]}/messages/${id}/reports`, { reason: 'Advertising' });
  }, 280_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** Rooms of different sizes; the administrator is in the first. */
  async function makeRooms(): Promise<string[]> {
    const admin = await signIn(service.url);
    const rooms: string[] = [];
    for (const [name, topic] of [
      ['engine room', 'Builds, releases, and what broke'],
      ['tea kitchen', 'Everything else'],
      ['harbour', 'Ships and other vessels'],
    ]) {
      const id = await crowd.ada.room({ name, topic });
      for (const person of [crowd.grace, crowd.linus, crowd.margaret, crowd.edsger])
        await person.post(`/v1/rooms/${id}/members`, {});
      rooms.push(id);
    }
    await crowd.ada.post(`/v1/rooms/${rooms[0]}/members`, { userId: admin.id });
    return rooms;
  }

  it('show the home page and a room', async () => {
    mkdirSync(images, { recursive: true });
    const look = { viewport: { width: 1280, height: 860 }, reducedMotion: 'reduce' as const };
    const tab = await Tab.open(browser, service.url, look);
    await tab.goTo('/');
    await tab.signIn(administrator);
    await tab.page.getByText('Everything works').first().waitFor();
    await tab.page.locator('figure svg').nth(2).waitFor();
    await tab.page.waitForLoadState('networkidle');
    await tab.page.screenshot({ path: `${images}home.png` });
    await tab.goTo(`/rooms/${room}/show/messages`);
    await tab.page.getByText('Shipping at three.').last().waitFor();
    await tab.page.getByText('Live', { exact: true }).waitFor();
    await tab.page.mouse.move(0, 0);
    await tab.page.waitForLoadState('networkidle');
    await tab.page.screenshot({ path: `${images}room.png` });
    expect(tab.complaints).toEqual([]);
    await tab.close();
  });
});
