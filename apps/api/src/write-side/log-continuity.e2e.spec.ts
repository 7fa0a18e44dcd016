import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres, { type Sql } from 'postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StandIn } from '../../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { lineSaying, listeningLog } from '../tests/faults/outage.testing.js';
import { outcome } from '../tests/harness/contract.testing.js';
import { createDatabase, dropDatabase } from '../tests/harness/database.testing.js';
import { startProcess } from '../tests/harness/service-process.testing.js';
import { eventually, register, type TestPerson, Visitor } from '../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../tests/harness/test-service.testing.js';

const { log, lines } = listeningLog();

/** What operators see when the log is behind: one line. */
async function expectBehind(service: TestService): Promise<void> {
  const sentence = await service.lost;
  expect(sentence).toMatch(/is behind what this process has read: event \d+ of \w+-\S+, at position \d+, is missing/);
  const said = lines.filter(({ msg }) => msg.includes('is behind what this process has read'));
  expect(said).toHaveLength(1);
  const ready = await new Visitor(service.url).get('/health/ready');
  expect([outcome(ready), ready.body.detail]).toEqual(['unavailable', expect.stringContaining('put back')]);
}

describe('a log in PostgreSQL that is put back under a running service', () => {
  let service: TestService;
  let sql: Sql;
  let person: TestPerson;
  let room: string;

  beforeEach(async () => {
    lines.length = 0;
    service = await startTestService({ log });
    sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
    person = await register(service.url);
    room = await person.room();
  });
  afterEach(async () => {
    await sql.end();
    await service.stop();
  });

  const head = async (): Promise<number> => Number((await sql`select max(position) as head from log.events`)[0]?.head);
  const cutAfter = (position: number, db: Sql = sql) => db`delete from log.events where position > ${position}`;
  /** Events of another history: copies of those in the log, in unknown streams. */
  const growTo = (position: number, db: Sql) => db`
    insert into log.events
    select (select max(position) from log.events) + n, 'room-' || gen_random_uuid(), 0, gen_random_uuid(), 'RoomCreated', hash, sealed
      from generate_series(1, ${position} - (select max(position) from log.events)) n,
           (select hash, sealed from log.events where type = 'RoomCreated' limit 1) e`;

  it('is noticed while the service is idle', async () => {
    const backup = await head();
    await person.says(room, 'gone');
    await cutAfter(backup);
    await expectBehind(service);
  });

  it('is noticed also when it has grown past where it was', async () => {
    const backup = await head();
    for (const text of ['one', 'two', 'three']) await person.says(room, text);
    const read = await head();
    await sql.begin(async (tx) => {
      await cutAfter(backup, tx as unknown as Sql);
      await growTo(read + 5, tx as unknown as Sql);
    });
    await expectBehind(service);
  });

  it('is noticed when all of it is gone', async () => {
    await sql`truncate log.events`;
    await expectBehind(service);
  });

  it('is noticed by what is appended, and after that nothing is recorded', async () => {
    const backup = await head();
    for (let i = 0; i < 20; i++) await person.says(room, `gone ${i}`);
    await cutAfter(backup);
    // The first may still be stored, in a room that was not there before.
    await eventually(
      () => person.post('/v1/rooms', { name: `after ${Math.random()}` }),
      (answer) => outcome(answer) === 'unavailable',
    );
    await expectBehind(service);
    const before = await head();
    for (let i = 0; i < 5; i++) expect(outcome(await person.post('/v1/rooms', { name: `${i}` }))).toBe('unavailable');
    expect(await head()).toBe(before);
  });

  it('is not mistaken for rolled back while it grows, or is unavailable', async () => {
    let lost = false;
    void service.lost.then(() => {
      lost = true;
    });
    for (const end = Date.now() + 4_000; Date.now() < end; ) {
      await person.says(room, 'still here');
      await sql`
        select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and random() < 0.1`;
      await eventually(
        () => person.get('/health/ready'),
        (answer) => outcome(answer) === 200,
      );
    }
    expect(lost).toBe(false);
  });
});

describe('a log in KurrentDB that is put back under a running service', () => {
  let standIn: StandIn;
  let service: TestService;
  let person: TestPerson;

  beforeEach(async () => {
    lines.length = 0;
    standIn = await StandIn.start();
    service = await startTestService({ log, environment: { EVENT_STORE_URL: standIn.url } });
    person = await register(service.url);
  });
  afterEach(async () => {
    await service.stop();
    standIn.stop();
  });

  const end = () => standIn.log.readAll('end', false, 1, () => true)?.[0]?.position ?? 0n;

  it('is noticed when the server comes back', async () => {
    const room = await person.room();
    const backup = end() + 1n;
    for (const text of ['one', 'two', 'three']) await person.says(room, text);
    await eventually(
      () => person.get(`/v1/rooms/${room}/messages`),
      ({ body }) => body.items.length === 3,
    );
    standIn.stop();
    standIn.log.cutFrom(backup);
    await standIn.listen();
    await lineSaying(lines, 'is behind what this process has read', 30_000);
    await expectBehind(service);
  });

  it('is noticed also when it has grown past where it was', async () => {
    const room = await person.room();
    const backup = end() + 1n;
    for (const text of ['one', 'two', 'three']) await person.says(room, text);
    const read = end();
    standIn.stop();
    standIn.log.cutFrom(backup);
    const other = { contentType: 'application/octet-stream', data: Buffer.from('{}'), metadata: Buffer.from('{}') };
    for (let i = 0; end() <= read; i++)
      standIn.log.append(`user-${i}`, -1n, [{ ...other, id: crypto.randomUUID(), type: 'UserRegistered' }]);
    await standIn.listen();
    await expectBehind(service);
  });
});

describe('the service as npm start runs it', () => {
  it('ends with exit code 1 when the log was put back, and continues with the remaining events after a restart', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'verbatim-behind-'));
    const environment = { VERBATIM_DATA: folder, DATABASE_URL: await createDatabase() };
    const sql = postgres(environment.DATABASE_URL, { max: 1, onnotice: () => undefined });
    const first = await startProcess(environment);
    const person = await register(first.url);
    const room = await person.room({ name: 'of the backup' });
    const [backup] = await sql`select max(position) as head from log.events`;
    await person.says(room, 'gone');
    const exited = new Promise((resolve) => first.child.once('exit', resolve));
    await sql`delete from log.events where position > ${backup?.head}`;
    expect(await exited).toBe(1);
    expect(first.output()).toContain('is behind what this process has read');

    // Checkpoints cover what is gone, so the log of before cannot be continued.
    const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
    const words = ['audit', 'new-log', '--reason', 'a backup was restored'];
    await promisify(execFile)(process.execPath, [cli, ...words], { env: { ...process.env, ...environment } });
    const second = await startProcess(environment);
    const back = person.at(second.url);
    expect((await back.get(`/v1/rooms/${room}/messages`)).body.items).toEqual([]);
    await back.says(room, 'new');
    expect(await second.end('SIGTERM')).toBe(0);
    await sql.end();
    await dropDatabase(environment.DATABASE_URL);
    await rm(folder, { recursive: true, force: true });
  }, 120_000);
});
