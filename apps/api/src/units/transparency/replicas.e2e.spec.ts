import { randomBytes } from 'node:crypto';
import { openCheckpoint } from '@verbatim/transparency';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { LogReader, sound } from '../../tests/harness/log-reader.testing.js';
import { type ServiceProcess, startProcess } from '../../tests/harness/service-process.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';

const origin = 'chat.example/log';
let databaseUrl: string;
let sql: postgres.Sql;
let environment: Record<string, string>;
const processes: ServiceProcess[] = [];

beforeAll(async () => {
  databaseUrl = await createDatabase();
  sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  environment = {
    ...{ DATABASE_URL: databaseUrl, MASTER_KEY: randomBytes(32).toString('base64') },
    ...{ AUDIT_LOG: 'public', AUDIT_LOG_ORIGIN: origin },
  };
});
afterAll(async () => {
  for (const process of processes) await process.end('SIGKILL');
  await sql.end();
  await dropDatabase(databaseUrl);
});

async function start(): Promise<ServiceProcess> {
  const process = await startProcess(environment);
  processes.push(process);
  return process;
}

const isSigning = async ({ url }: ServiceProcess): Promise<boolean> =>
  /^verbatim_log_signing 1$/m.test(await (await fetch(`${url}/metrics`)).text());

const covered = () =>
  expect
    .poll(
      async () => {
        const [row] = await sql<{ missing: number }[]>`
          select ((select count(*) from log.events) - (select size from desk.log_trees))::int as missing`;
        return row?.missing;
      },
      { timeout: 20_000 },
    )
    .toBe(0);

/** Blocks every process that is about to store the signature of a checkpoint, until it is opened. */
async function gateBeforeStoring() {
  const lock = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  await lock`select pg_advisory_lock(43)`;
  await sql.unsafe(`
    create function public.signing_gate() returns trigger language plpgsql as
      'begin perform pg_advisory_xact_lock_shared(43); return new; end';
    create trigger signing_gate before update on desk.log_checkpoints for each row execute function public.signing_gate()`);
  return {
    /** Resolves when a process waits. */
    async reached(): Promise<void> {
      await expect
        .poll(
          async () =>
            (await sql`select from pg_locks where locktype = 'advisory' and not granted and objid = 43`).length,
          { timeout: 20_000 },
        )
        .toBe(1);
    },
    async open(): Promise<void> {
      await sql`drop trigger signing_gate on desk.log_checkpoints`.catch(() => undefined);
      await lock.end();
    },
  };
}

describe('two replicas', () => {
  let one: ServiceProcess;
  let two: ServiceProcess;
  let ada: TestPerson;
  let room: string;

  it('have one signer, and both serve what it signs', async () => {
    one = await start();
    two = await start();
    ada = await register(one.url);
    room = await ada.room();
    await ada.says(room, 'first');
    await covered();
    expect([await isSigning(one), await isSigning(two)]).toEqual([true, false]);
    const [note, same] = [await new LogReader(one.url).note(), await new LogReader(two.url).note()];
    expect(note).toBe(same);
  }, 60_000);

  it('sign one root per size, even if the signer is killed between signing and storing', async () => {
    const gate = await gateBeforeStoring();
    await ada.says(room, 'signed, and not stored');
    await gate.reached();
    const [undecided] = await sql<{ size: string; root: Buffer; note: null }[]>`
      select size, root, note from desk.log_checkpoints order by size desc limit 1`;
    expect(undecided?.note).toBeNull();
    await one.end('SIGKILL');
    await sql`
      select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and not granted and objid = 43`;
    await gate.open();

    await expect.poll(() => isSigning(two), { timeout: 20_000 }).toBe(true);
    await ada.at(two.url).says(room, 'after the crash');
    await covered();
    const log = new LogReader(two.url);
    const logKeys = await log.keys();
    const checkpoints = await sql<{ size: string; root: Buffer; note: string }[]>`
      select size, root, note from desk.log_checkpoints where note is not null order by size`;
    for (const { size, root, note } of checkpoints) {
      const checkpoint = sound(openCheckpoint(note, { origin, logKeys }));
      expect([checkpoint.size, checkpoint.root.toString('hex')]).toEqual([Number(size), root.toString('hex')]);
      expect(await log.root(checkpoint.size)).toBe(root.toString('base64'));
    }
    expect(checkpoints.find(({ size }) => size === undecided?.size)?.root).toEqual(undecided?.root);
  }, 90_000);
});
