import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { seedCommand } from '../../tools/seed/seed-command.js';

/**
 * How long lists take that are asked of many people, rooms and messages. Prints figures and asserts nothing about time.
 * LISTS_USERS, LISTS_ROOMS and LISTS_MESSAGES tell how many; LISTS_URL names a service that was seeded already and is asked
 * instead, with the administrator of the tests.
 */
const { LISTS_USERS = '20000', LISTS_ROOMS = '2000', LISTS_MESSAGES = '200000', LISTS_URL } = process.env;

/** What is aimed at for each question: milliseconds in which 95 of 100 are answered. */
const AIM = 200;
/** How often each is asked, and how often before that without being counted. */
const TIMES = 30;
const BEFORE = 3;
/** What takes longer than so many milliseconds is asked only a few times. */
const SLOW = 1_000;
const FEW = 5;
/** Rooms that the person is in who searches. */
const ROOMS = 20;
const PAGE = 25;

const reason = { 'verbatim-reason': 'to see how long it takes' };

let service: TestService | null = null;
let folder: string;
let url: string;
let admin: TestPerson;
let reader: TestPerson;
let largest: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-lists-'));
  url = LISTS_URL ?? (await startSeeded());
  admin = await signIn(url);
  reader = await register(url);
  largest = await settle();
}, 7_200_000);

afterAll(async () => {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
});

describe('with many people, rooms and messages', () => {
  it('every list of the dashboard is answered', async () => {
    const figures: Figure[] = [];
    for (const { list, path, by = admin } of questions()) {
      let slowest = 0;
      for (let n = 0; n < BEFORE; n++) slowest = Math.max(slowest, await ask(by, path));
      const times: number[] = [];
      for (let n = 0; n < (slowest > SLOW ? FEW : TIMES); n++) times.push(await ask(by, path));
      times.sort((one, other) => one - other);
      figures.push({ list, middle: at(times, 0.5), slow: at(times, 0.95) });
    }
    console.log(table(figures));
    expect(figures.length).toBeGreaterThan(50);
  }, 7_200_000);
});

interface Question {
  readonly list: string;
  readonly path: string;
  readonly by?: TestPerson;
}

interface Figure {
  readonly list: string;
  /** Milliseconds, of one half and of 95 in 100. */
  readonly middle: number;
  readonly slow: number;
}

/** First pages as the dashboard asks for them, each order, each filter, and words from common to unknown. */
function questions(): Question[] {
  const list = (path: string, ...queries: readonly string[]): Question[] =>
    queries.map((query) => ({ list: `${path} ${query}`, path: `${path}?limit=${PAGE}&${query}` }));
  const orders = (...sorts: readonly string[]) =>
    sorts.flatMap((sort) => [`sort=${sort}&order=asc`, `sort=${sort}&order=desc`]);
  const words = ['a', 'an', 'ann', 'müller', '京', 'zzzz'].map((q) => `q=${encodeURIComponent(q)}`);
  const room = `/v1/rooms/${largest}`;
  const named = (questions: Question[]) =>
    questions.map((question) => ({ ...question, list: question.list.replace(largest, '{id}') }));
  const search = (q: string, within = '') => ({
    list: `/v1/search q=${q}${within && ' in one room'}`,
    path: `/v1/search?limit=${PAGE}&q=${encodeURIComponent(q)}${within}`,
    by: reader,
  });
  return [
    ...list('/v1/users', '', ...orders('username', 'createdAt')),
    ...list('/v1/users', 'role=admin', 'role=auditor', 'role=user', 'status=active', 'status=suspended'),
    ...list('/v1/users', 'status=suspended&sort=createdAt&order=desc', 'role=auditor&sort=createdAt&order=desc'),
    ...list('/v1/users', ...words, ...words.map((q) => `${q}&sort=createdAt&order=desc`)),
    ...list('/v1/rooms', '', ...orders('createdAt', 'name', 'members', 'activity')),
    ...list('/v1/rooms', 'status=open', 'status=closed', 'status=closed&sort=activity&order=desc'),
    ...['public', 'private', 'hidden', 'direct'].flatMap((visibility) =>
      list('/v1/rooms', `visibility=${visibility}`, `visibility=${visibility}&sort=members&order=desc`),
    ),
    ...list('/v1/rooms', ...words, ...words.map((q) => `${q}&sort=activity&order=desc`)),
    ...named(list(`${room}/messages`, '', 'order=oldest')),
    ...named(list(`${room}/members`, '')),
    ...named(list(`${room}/events`, '', 'from=1000')),
    ...named(list(`${room}/reports`, '')),
    ...list('/v1/reports', '', 'status=open', 'status=settled'),
    ...list('/v1/invitations', ''),
    ...list('/v1/sessions', '', `user=${reader.id}`),
    ...list('/v1/tokens', '', 'bot=true', 'bot=false', `user=${reader.id}`),
    ...['spreadsheet', 'spreadsheet signature', '"chess tournament"', 'ticket', 'the', 'zzzz'].map((q) => search(q)),
    ...['spreadsheet', 'the', 'zzzz'].map((q) => search(q, `&room=${largest}`)),
    { list: '/v1/inbox', path: `/v1/inbox?limit=${PAGE}`, by: reader },
    { list: '/v1/rooms of a person', path: `/v1/rooms?limit=${PAGE}`, by: reader },
    { list: '/v1/rooms of a person, own ones', path: `/v1/rooms?limit=${PAGE}&member=me`, by: reader },
  ];
}

/** The time within which this share of them lies. */
const at = (times: readonly number[], share: number): number => times[Math.ceil(times.length * share) - 1] ?? 0;

/** Milliseconds until the whole answer is there. */
async function ask({ accessToken }: TestPerson, path: string): Promise<number> {
  const begun = performance.now();
  const answer = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${accessToken}`, ...reason } });
  const text = await answer.text();
  const took = performance.now() - begun;
  if (answer.status !== 200) throw new Error(`${path}: ${text}`);
  return took;
}

function table(figures: readonly Figure[]): string {
  const lines = figures.map(({ list, middle, slow }) => {
    const cells = [middle, slow].map((time) => time.toFixed(1).padStart(9));
    return `${list.padEnd(64)}${cells.join('')}${slow > AIM ? '  more than aimed at' : ''}`;
  });
  return [`${'milliseconds'.padEnd(64)}   middle  95 in 100`, ...lines].join('\n');
}

// What is asked --------------------------------------------------------------------------------------------------------

async function startSeeded(): Promise<string> {
  service = await startTestService({ environment: { VERBATIM_DATA: folder } });
  const { databaseUrl } = service;
  const args = ['--users', LISTS_USERS, '--rooms', LISTS_ROOMS, '--messages', LISTS_MESSAGES];
  const seeded = await seedCommand.run(args, {
    config: readConfig({ VERBATIM_DATA: folder }),
    log: pino({ level: 'warn' }),
    database: async () => ({
      url: databaseUrl,
      directUrl: databaseUrl,
      lost: new Promise(() => undefined),
      stop: async () => undefined,
    }),
    tools: () => Promise.reject(new Error('not asked for')),
  });
  if (seeded !== 0) throw new Error('The database was not seeded.');
  await service.restart();
  return service.url;
}

/** Brings the reader into the greatest rooms; answers which is the greatest. */
async function settle(): Promise<string> {
  const { items } = (await admin.get(`/v1/rooms?limit=${ROOMS}&status=open&visibility=public&sort=members&order=desc`))
    .body;
  for (const { id } of items) await admin.post(`/v1/rooms/${id}/members`, { userId: reader.id });
  return items[0].id;
}
