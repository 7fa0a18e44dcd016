import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../storage/embedded-postgres/embedded-postgres.js';
import { type Cast, gatherCast } from '../access/scene.testing.js';
import { outcome } from '../harness/contract.testing.js';
import { eventually } from '../harness/test-client.testing.js';
import { allQuestions, askAll, handshake, lineSaying, listeningLog, type Question } from './outage.testing.js';

/** Connections that this PostgreSQL takes; a replica has up to 37. */
const CONNECTIONS = 60;
/** Milliseconds for which it is away. */
const AWAY_MS = 2_500;

let folder: string;
let database: EmbeddedPostgres;
let port: number;
let cast: Cast;
const { log, lines } = listeningLog();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'verbatim-outage-'));
  await startDatabase();
  port = Number(new URL(database.url).port);
  cast = await gatherCast({ databaseUrl: database.url, log });
}, 120_000);
afterAll(async () => {
  await cast?.service.stop();
  await database.stop();
  await rm(folder, { recursive: true, force: true });
});

async function startDatabase(): Promise<void> {
  database = await startEmbeddedPostgres(folder, { port, settings: { max_connections: `${CONNECTIONS}` } });
}

/** What befalls the database; each resolves when it is well again. */
const outages = {
  'it is restarted (fast)': () => endBy('SIGINT'),
  'it is restarted (immediate)': () => endBy('SIGQUIT'),
  'it is killed': () => endBy('SIGKILL'),
  'others take all of its connections': takeAllConnections,
  'it ends all connections, again and again': endAllConnections,
} satisfies Record<string, () => Promise<void>>;

describe('while PostgreSQL is down, no call and no frame fails, and the log has two lines about it', () => {
  it.each(Object.entries(outages))(
    '%s',
    async (_, befall) => {
      const questions = await allQuestions(cast);
      lines.length = 0;
      const [under, during] = halves(questions);
      // Some are under way when it happens, the others come while it lasts.
      const answered = askAll(under, 20);
      await sleep(100);
      const over = befall();
      await sleep(300);
      const opened = handshake(cast.people.owner);
      const answers = { ...(await answered), ...(await askAll(during)) };
      await over;

      expect(Object.keys(answers).filter((name) => answers[name]?.answer === 'internal')).toEqual([]);
      expect(Object.values(answers).filter(({ answer }) => answer === 'unavailable').length).toBeGreaterThan(0);
      expect(['hello', 'closed with 1013']).toContain(await opened);
      await lineSaying(lines, 'is available again', 40_000);
      expect(lines.map(({ msg }) => msg)).toEqual([
        expect.stringContaining(`PostgreSQL at 127.0.0.1:${port} is not available: `),
        expect.stringContaining(`PostgreSQL at 127.0.0.1:${port} is available again after `),
      ]);
      expect(lines.filter(({ err }) => err)).toEqual([]);
      await eventually(
        () => cast.people.owner.get('/health/ready'),
        (answer) => outcome(answer) === 200,
      );
      await cast.people.owner.room();
    },
    120_000,
  );
});

const halves = (questions: readonly Question[]): [Question[], Question[]] => [
  questions.filter((_, i) => i % 2 === 0),
  questions.filter((_, i) => i % 2 === 1),
];

async function endBy(signal: NodeJS.Signals): Promise<void> {
  const { pid, exited } = database;
  process.kill(pid, signal);
  await exited;
  await database.stop();
  await sleep(AWAY_MS);
  await startDatabase();
}

async function takeAllConnections(): Promise<void> {
  const takers: postgres.Sql[] = [];
  const takeConnection = () => {
    const taker = connectAsTaker();
    takers.push(taker);
    return taker`select 1`.then(
      () => true,
      () => false,
    );
  };
  await takeConnection();
  for (const end = performance.now() + AWAY_MS; performance.now() < end; ) {
    while (await takeConnection());
    await endOthers(takers[0] as postgres.Sql);
  }
  await Promise.all(takers.map((taker) => taker.end({ timeout: 0 })));
}

async function endAllConnections(): Promise<void> {
  const taker = connectAsTaker();
  for (const end = performance.now() + AWAY_MS; performance.now() < end; ) await endOthers(taker);
  await taker.end({ timeout: 0 });
}

const connectAsTaker = () =>
  postgres(database.url, {
    max: 1,
    onnotice: () => undefined,
    fetch_types: false,
    connection: { application_name: 'taker' },
  });

/** Ends the connections of the service, so that it has to make new ones. */
const endOthers = (taker: postgres.Sql) => taker`
  select pg_terminate_backend(pid) from pg_stat_activity
   where backend_type = 'client backend' and application_name <> 'taker'`;
