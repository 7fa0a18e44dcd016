import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeVerifierKey, openCheckpoint } from '@verbatim/transparency';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogReader } from '../../tests/harness/log-reader.testing.js';
import { register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import type { TestService } from '../../tests/harness/test-service.testing.js';
import { newLogCommand } from '../../tools/audit/new-log-command.js';
import { rotateKeysCommand } from '../../tools/audit/rotate-keys-command.js';
import { verifyCommand } from '../../tools/log/verify-command.js';
import { Litewitness, obtainLitewitness } from './litewitness.testing.js';
import { RestorableDatabase } from './restored-log.testing.js';

const origin = 'chat.example/log';
const litewitness = obtainLitewitness();

let database: RestorableDatabase;
let service: TestService | null = null;
let folder: string;
beforeEach(async () => {
  database = await RestorableDatabase.create();
  folder = await mkdtemp(join(tmpdir(), 'verbatim-rollback-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await stop();
  await database.remove();
  await rm(folder, { recursive: true, force: true });
});

async function start(environment: Record<string, string>): Promise<LogReader> {
  service = await database.start({ AUDIT_LOG: 'public', AUDIT_LOG_ORIGIN: origin, ...environment });
  return new LogReader(service.url);
}

async function stop(): Promise<void> {
  await service?.stop();
  service = null;
}

const size = async (): Promise<number> =>
  Number((await database.ask('select max(size) as size from desk.log_checkpoints'))[0]?.size);
const eventCount = async (): Promise<number> =>
  Number((await database.ask('select count(*) as count from log.events'))[0]?.count);
/** Everything in the log is covered by a stored checkpoint. */
const covered = () => expect.poll(async () => (await size()) - (await eventCount()), { timeout: 15_000 }).toBe(0);

async function readiness(): Promise<string> {
  const answer = await fetch(`${service?.url}/health/ready`);
  return answer.ok ? 'ready' : ((await answer.json()) as { detail: string }).detail;
}

/** A service with messages before and after a backup. Returns the size of its log at the end. */
async function twoDays(
  environment: Record<string, string>,
  begun: (log: LogReader) => Promise<unknown> = async () => undefined,
) {
  const log = await start(environment);
  await begun(log);
  let ada = await register(log.url);
  const room = await ada.room();
  await ada.says(room, 'on Monday');
  await covered();
  await stop();
  await database.backUp();
  ada = ada.at((await start(environment)).url);
  for (let i = 0; i < 5; i++) await ada.says(room, `on Tuesday ${i}`);
  await covered();
  return { ada, room, last: await size() };
}

async function says(ada: TestPerson, room: string, text: string): Promise<void> {
  await ada.at(service?.url ?? '').says(room, text);
}

describe('a log that was rolled back behind a checkpoint in the witness file', () => {
  it('is not signed, until an operator begins a new tree', async () => {
    const environment = { AUDIT_WITNESS_FILE: join(folder, 'checkpoints') };
    const { ada, room, last } = await twoDays(environment);
    await stop();
    await database.restore();
    const before = await size();
    await start(environment);

    await expect
      .poll(readiness, { timeout: 15_000 })
      .toMatch(
        new RegExp(
          `The log has \\d+ events, and a checkpoint over ${last} was signed: it was put back to an earlier state`,
        ),
      );
    await says(ada, room, 'no one signs this');
    expect(await size()).toBe(before);
    expect(await database.command(verifyCommand, [], environment)).toBe(1);

    const reason = 'The disk of Tuesday was lost';
    expect(await database.command(newLogCommand, ['--reason', reason], environment)).toBe(0);
    await expect.poll(readiness, { timeout: 20_000 }).toBe('ready');
    const log = new LogReader(service?.url ?? '');
    await expect
      .poll(async () => (await log.checkpoint({ origin: `${origin}/2` }).catch(() => null))?.size, { timeout: 15_000 })
      .toBeGreaterThanOrEqual(await eventCount());
    const [begun] = await database.ask(`select sealed from log.events where type = 'AuditLogBegun'`);
    expect(JSON.parse(begun?.sealed ?? '').data).toMatchObject({
      ...{ tree: 2, origin: `${origin}/2` },
      previous: { origin, size: last, root: expect.any(String) },
    });
    expect(begun?.sealed).not.toContain(reason);
    const hashes = await database.ask('select hash from log.events order by position');
    expect(await log.entries(hashes.length)).toEqual(hashes.map(({ hash }) => hash));
    expect((await log.keys()).map(({ name }) => name)).toEqual(
      [origin, `${origin}/2`].flatMap((name) => [name, `${name}/certificates`]),
    );
    expect(await database.command(verifyCommand, [], environment)).toBe(0);
  }, 120_000);

  it('continues if only the tree was rolled back and the log is complete', async () => {
    const environment = { AUDIT_WITNESS_FILE: folder };
    const { last } = await twoDays(environment);
    await stop();
    for (const table of ['checkpoints', 'tiles', 'cosignatures']) await database.ask(`delete from desk.log_${table}`);
    await database.ask('update desk.log_trees set size = 0, position = null, hash = null, published = null');
    await start(environment);
    await expect.poll(readiness, { timeout: 15_000 }).toBe('ready');
    await covered();
    const sizes = await database.ask('select size from desk.log_checkpoints order by size');
    expect(Number(sizes[0]?.size)).toBeGreaterThanOrEqual(last);
    expect(await database.command(verifyCommand, [], environment)).toBe(0);
  }, 120_000);
});

describe.skipIf(litewitness === null)('a third-party witness', () => {
  let witness: Litewitness;
  beforeAll(async () => {
    witness = await Litewitness.start(litewitness as string);
  });
  afterAll(() => witness.stop());

  it('cosigns the log, and refuses once it was rolled back or continued differently', async () => {
    const environment = { AUDIT_WITNESSES: witness.setting, AUDIT_QUORUM: '1' };
    const introduce = async (log: LogReader) =>
      witness.addLog(origin, encodeVerifierKey((await log.keys())[0] as never));
    const { ada, room, last } = await twoDays(environment, introduce);
    await expect.poll(() => witness.sizeOf(origin), { timeout: 20_000 }).toBe(last);
    const note = await new LogReader(service?.url ?? '').note();
    expect(note).toContain('witness.example/lite');
    await stop();

    await database.restore();
    await start(environment);
    await expect.poll(readiness, { timeout: 15_000 }).toContain(`has cosigned a checkpoint of size ${last}`);
    await says(ada, room, 'no one signs this');
    expect(await size()).toBeLessThan(last);
    await stop();

    await start({});
    for (let i = 0; i < 10; i++) await says(ada, room, `another Tuesday ${i}`);
    await covered();
    expect(await size()).toBeGreaterThan(last);
    await stop();
    await start(environment);
    await expect
      .poll(
        async () => /^verbatim_log_witness_problems 1$/m.test(await (await fetch(`${service?.url}/metrics`)).text()),
        {
          timeout: 20_000,
        },
      )
      .toBe(true);
    expect(witness.sizeOf(origin)).toBe(last);
  }, 180_000);
});

describe('keys that are rotated', () => {
  it('sign alongside their predecessors', async () => {
    const log = await start({});
    const ada = await register(log.url);
    const [old] = await log.keys();
    expect(await database.command(rotateKeysCommand, ['--days', '1'], {})).toBe(0);
    await ada.says(await ada.room(), 'after the rotation');
    await covered();
    const keys = (await log.keys()).filter(({ name }) => name === origin);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toEqual(old);
    const note = (await log.note()) ?? '';
    for (const key of keys)
      expect(openCheckpoint(note, { origin, logKeys: [key] })).toMatchObject({ size: await size() });

    expect(await database.command(rotateKeysCommand, ['--days', '0'], {})).toBe(0);
    await ada.says(await ada.room(), 'after a leak');
    await covered();
    const [third] = (await log.keys()).filter(({ name }) => name === origin).slice(2);
    const newest = await log.note();
    expect(openCheckpoint(newest ?? '', { origin, logKeys: third ? [third] : [] })).toMatchObject({
      size: await size(),
    });
    expect(openCheckpoint(newest ?? '', { origin, logKeys: keys.slice(1) })).toMatchObject({ fault: 'NotSigned' });
  }, 60_000);
});

describe('the witness file', () => {
  it('of one log is not continued by another, until an operator begins a new tree', async () => {
    const environment = { AUDIT_WITNESS_FILE: join(folder, 'checkpoints') };
    await start(environment);
    await covered();
    await stop();
    await database.ask(`update desk.log_trees set origin = 'another.example/log'`);
    const renamed = { ...environment, AUDIT_LOG_ORIGIN: 'another.example/log' };
    await start(renamed);
    await expect.poll(readiness, { timeout: 15_000 }).toContain(`is of the log ${origin}, and this one is known as`);
    expect(await database.command(verifyCommand, [], renamed)).toBe(3);
    expect(await database.command(newLogCommand, ['--reason', 'Another name'], renamed)).toBe(0);
    await expect.poll(readiness, { timeout: 20_000 }).toBe('ready');
  }, 60_000);

  it('is only appended to', async () => {
    const file = join(folder, 'checkpoints');
    const log = await start({ AUDIT_WITNESS_FILE: file });
    const ada = await register(log.url);
    await ada.says(await ada.room(), 'first');
    await covered();
    const before = await readFile(file, 'utf8');
    await ada.says(await ada.room(), 'second');
    await covered();
    await expect.poll(() => readFile(file, 'utf8')).not.toBe(before);
    expect((await readFile(file, 'utf8')).startsWith(before)).toBe(true);
  }, 60_000);
});
