import { randomBytes, randomUUID } from 'node:crypto';
import { openEventStore, verifyLog } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { logicalDump } from './logical-dump.testing.js';

const MASTER_KEY = randomBytes(32).toString('base64');

let databaseUrl: string;
let sql: Sql;
let replica: ServiceProcess | undefined;
beforeAll(async () => {
  databaseUrl = await createDatabase();
  sql = postgres(databaseUrl, { max: 3, onnotice: () => undefined });
  replica = await start();
  await makeTriggers();
}, 240_000);
afterAll(async () => {
  await replica?.end('SIGKILL');
  await sql.end();
  await dropDatabase(databaseUrl);
});

const url = () => replica?.url ?? '';
const start = () => startProcess({ DATABASE_URL: databaseUrl, MASTER_KEY });
const rare = () => `q${randomBytes(7).toString('hex')}z`;

/** Somebody with a profile, a message, an edit, an answer kept for a repetition, and keys for two batches. */
async function somebody() {
  const [said, edited, named] = [rare(), rare(), rare()];
  const [admin, bob] = [await signIn(url()), await register(url())];
  await bob.patch('/v1/me', { displayName: named });
  const room = await bob.room();
  await bob.post(`/v1/rooms/${room}/messages`, { text: said }, { 'idempotency-key': 'k1' });
  const { id } = await bob.says(room, rare());
  await bob.patch(`/v1/rooms/${room}/messages/${id}`, { text: edited });
  await sql`
    insert into vault.keys (name, wrapped)
    select ${`room-${randomUUID()}|${bob.id}|`} || (date '2020-01-01' + n), 'of the past' from generate_series(1, 600) n`;
  await eventually(
    async () => await logicalDump(sql),
    (dump) => [said, edited, named].every((word) => dump.includes(word)),
  );
  return { admin, id: bob.id, words: [said, edited, named] };
}

/** Where an erasure is held up, as conditions of triggers. */
const steps = [
  ['after the intent, before the first row', 'before insert on desk.erasures_under_way', ''],
  ['between rows and keys', 'before delete on desk.idempotency', ''],
  ['while keys are destroyed', 'before delete on vault.keys', `when (old.wrapped <> 'of the past')`],
  ['after the keys, before the certificate', 'before insert on log.events', `when (new.type = 'ErasureFinished')`],
  ['after the certificate', 'before delete on desk.erasures_under_way', ''],
] as const;
/** The first half of the locks for which the triggers wait; the second is the number of the step. */
const HELD_UP = 4242;

async function makeTriggers(): Promise<void> {
  await sql.unsafe(`
    create function public.held_up() returns trigger language plpgsql as $$ begin
      perform pg_advisory_xact_lock(${HELD_UP}, tg_argv[0]::int);
      return coalesce(new, old);
    end $$`);
  for (const [i, [, event, when]] of steps.entries())
    await sql.unsafe(`create trigger held_up_${i} ${event} for each row ${when} execute function public.held_up(${i})`);
}

async function whenDone(admin: TestPerson, id: string) {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const { body } = await admin.get(`/v1/erasures/${id}`);
    if (body.status === 'done') return body;
    if (Date.now() > deadline) throw new Error(`It is not done: ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const isHeldUp = async (step: number): Promise<boolean> =>
  (
    await sql`
      select from pg_locks
      where locktype = 'advisory' and classid = ${HELD_UP} and objid = ${step} and not granted
        and database = (select oid from pg_database where datname = current_database())`
  ).length > 0;

describe('a replica that is killed while it erases', { timeout: 240_000 }, () => {
  it.each(steps.map(([name], i) => [name, i] as const))(
    '%s is followed by another, which leaves nothing behind',
    async (_, step) => {
      const { admin, id: person, words } = await somebody();
      let erasure = '';
      await sql.begin(async (tx) => {
        await tx`select pg_advisory_xact_lock(${HELD_UP}, ${step})`;
        const asked = await admin.post('/v1/erasures', { person, ground: 'objection', reason: 'Letter 5' });
        erasure = asked.body.id;
        await eventually(
          () => isHeldUp(step),
          (held) => held,
        );
        await replica?.end('SIGKILL');
      });
      replica = await start();
      const again = await signIn(url());
      const { certificate, problem } = await whenDone(again, erasure);
      const dump = await logicalDump(sql);
      for (const word of words) expect(dump).not.toContain(word);
      expect(dump).not.toContain(`|${person}|`);
      expect(certificate).toContain(erasure);
      expect(problem).toBe(null);
    },
  );

  it('leaves all chains whole', async () => {
    const store = await openEventStore({ url: databaseUrl, directUrl: databaseUrl });
    try {
      expect((await verifyLog(store)).broken).toEqual([]);
    } finally {
      await store.close();
    }
    expect([...(await sql`select * from desk.erasures_under_way`)]).toEqual([]);
  });
});
