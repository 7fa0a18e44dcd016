import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CuttingProxy } from '../../../../../libs/event-store/src/postgres/cutting-proxy.testing.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { pollTimes } from './polls.js';
import { type ChatMember, FormVisitor, figureOf, textsIn } from './sfchat-client.testing.js';

/** Machines may be busy. */
const soon = { timeout: 15_000 };
const usual = { ...pollTimes };

let databaseUrl: string;
let proxy: CuttingProxy;
let service: TestService;
let ada: ChatMember;
let bob: ChatMember;
let now = Date.parse('2026-03-01T12:00:00Z');

beforeAll(async () => {
  Object.assign(pollTimes, { hold: 2_500, lookBlindly: 200 });
  databaseUrl = await createDatabase();
  proxy = await CuttingProxy.open(databaseUrl);
  const port = await freePort();
  const environment = { SFCHAT_PORT: `${port}`, LOG_LEVEL: 'silent' };
  service = await startTestService({ clock: () => new Date(now), databaseUrl: proxy.url, environment });
  ada = await new FormVisitor(`http://127.0.0.1:${port}`).create();
  bob = await new FormVisitor(`http://127.0.0.1:${port}`).join(ada.code);
  for (const member of [ada, bob]) await member.confirmAll();
});
afterAll(async () => {
  Object.assign(pollTimes, usual);
  await service?.stop();
  await proxy?.close();
  await dropDatabase(databaseUrl);
});

const polls = () => figureOf(service.url, 'verbatim_sfchat_polls');

describe('while the database is away', () => {
  it('polls go on, those that are held and those that come, and bring what is said afterwards', async () => {
    const held = bob.poll();
    await expect.poll(polls, soon).toBe(1);
    proxy.refuse('resets', 1_000);
    const refused = await ada.say('too early');
    expect(refused).toMatchObject({ status: 503, body: { results: { code: 503 } } });
    const came = await ada.poll();
    expect([came.status, came.body.results.messages]).toEqual([200, []]);
    expect((await held).status).toBe(200);
    await expect.poll(async () => (await ada.say('now')).status, soon).toBe(202);
    await expect.poll(async () => textsIn(await bob.poll()), soon).toContain('now');
    await bob.confirmAll();
  });

  it('a poll that begins and ends meanwhile is answered with an empty list', async () => {
    proxy.refuse('hangs up', 4_000);
    const { status, body } = await bob.poll();
    expect([status, body.results.code, body.results.messages]).toEqual([200, 200, []]);
    await expect.poll(async () => (await ada.say('again')).status, soon).toBe(202);
    await expect.poll(async () => textsIn(await bob.poll()), soon).toEqual(['again']);
  });

  it('no one counts as silent because polls could not be received', async () => {
    proxy.refuse('resets', 4_000);
    now += 600_000;
    expect(await ada.say('too early')).toMatchObject({ status: 503 });
    expect((await bob.poll()).status).toBe(200);
    await expect.poll(async () => (await ada.look()).body.results.status, soon).toBe('ready');
    now += 73_000;
    expect((await ada.look()).body.results.status).toBe('closed');
  });
});
