import { createHash } from 'node:crypto';
import { isFault, leafHash, openCheckpoint, TreeBuilder, TreeReader, verifyConsistency } from '@verbatim/transparency';
import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LogReader, sound } from '../../tests/harness/log-reader.testing.js';
import { eventually, register, signIn, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const origin = 'chat.example/log';
let service: TestService;
let log: LogReader;
let ada: TestPerson;
let sql: postgres.Sql;

beforeAll(async () => {
  service = await startTestService({ environment: { AUDIT_LOG: 'public', AUDIT_LOG_ORIGIN: origin } });
  log = new LogReader(service.url);
  sql = postgres(service.databaseUrl, { max: 1, onnotice: () => undefined });
  ada = await register(service.url);
});
afterAll(async () => {
  await sql.end();
  await service.stop();
});

/** Waits until the published checkpoint covers everything in the event store. */
async function covered() {
  const [row] = await sql<{ events: number }[]>`select count(*)::int as events from log.events`;
  return eventually(
    () => log.checkpoint({ origin }).catch(() => null),
    (checkpoint) => (checkpoint?.size ?? 0) >= (row?.events ?? 0),
  );
}

describe('the log of a service', () => {
  it('covers every event once, in the order of the log', async () => {
    const room = await ada.room();
    for (let i = 0; i < 300; i++) void ada.says(room, `message ${i}`);
    await ada.says(room, 'the last one');
    await eventually(
      async () => (await ada.get(`/v1/rooms/${room}`)).body.revision,
      (revision) => revision >= 302,
    );
    const checkpoint = await covered();
    const hashes = (await sql<{ hash: string }[]>`select hash from log.events order by position`).map(
      (row) => row.hash,
    );
    expect(await log.entries(checkpoint?.size ?? 0)).toEqual(hashes.slice(0, checkpoint?.size));
    const tree = new TreeBuilder();
    tree.append(hashes.slice(0, checkpoint?.size).map((hash) => Buffer.from(hash, 'hex')));
    expect(checkpoint?.root.equals(tree.root())).toBe(true);
    expect(await log.root(checkpoint?.size ?? 0)).toBe(tree.root().toString('base64'));
  });

  it('is signed by the key that has its name, and not by the one for certificates', async () => {
    const keys = await log.keys();
    expect(keys.map(({ name }) => name)).toEqual([origin, `${origin}/certificates`]);
    const note = (await log.note()) ?? '';
    expect(isFault(openCheckpoint(note, { origin, logKeys: keys.slice(0, 1) }))).toBe(false);
    expect(isFault(openCheckpoint(note, { origin, logKeys: keys.slice(1) }))).toBe(true);
  });

  it('continues what it was before', async () => {
    const before = await covered();
    await ada.says(await ada.room(), 'one more');
    const after = await covered();
    if (!before || !after) throw new Error('There is no checkpoint.');
    expect(after.size).toBeGreaterThan(before.size);
    const proof = sound(await sound(TreeReader.of(after.size, log.tiles)).consistencyProof(before.size));
    expect(verifyConsistency(before.size, after.size, before.root, after.root, proof)).toBeNull();
  });

  it('goes on after a restart', async () => {
    const before = await covered();
    await service.restart();
    log = new LogReader(service.url);
    ada = ada.at(service.url);
    await ada.says(await ada.room(), 'after the restart');
    const after = await covered();
    expect(after?.size).toBeGreaterThan(before?.size ?? 0);
    const hashes = await sql<{ hash: string }[]>`select hash from log.events order by position`;
    expect(await log.entries(after?.size ?? 0)).toEqual(hashes.slice(0, after?.size).map((row) => row.hash));
  });

  it('goes on in a store in which the events stand at other positions, as after log copy', async () => {
    const room = await ada.room();
    const said = await ada.says(room, 'before the move');
    const before = await covered();
    await service.restart(() => sql`update log.events set position = position + 1000000`);
    log = new LogReader(service.url);
    ada = ada.at(service.url);
    await ada.says(room, 'after the move');
    const after = await covered();
    expect(after?.size).toBeGreaterThan(before?.size ?? 0);
    const hashes = await sql<{ hash: string }[]>`select hash from log.events order by position`;
    expect(await log.entries(after?.size ?? 0)).toEqual(hashes.slice(0, after?.size).map((row) => row.hash));
    const { body } = await ada.get(`/v1/rooms/${room}/messages/${said.id}/proof`);
    expect(hashes[body.ordinal]?.hash).toBe(
      createHash('sha256').update(Buffer.from(body.envelope, 'base64')).digest('hex'),
    );
  });

  it('serves tiles that caches may keep, and no others', async () => {
    const { size = 0 } = (await covered()) ?? {};
    const full = await log.file('tile/0/000');
    expect(full.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect((await full.arrayBuffer()).byteLength).toBe(256 * 32);
    const [entry = ''] = await log.entries(size);
    const first = Buffer.from(await (await log.file('tile/0/000.p/1')).arrayBuffer());
    expect(first.equals(leafHash(Buffer.from(entry, 'hex')))).toBe(true);
    for (const path of [
      'tile/0/999',
      `tile/0/000.p/0`,
      'tile/0/000.p/256',
      'tile/9/000',
      'tile/0/1',
      'tile/x',
      'tile/',
    ])
      expect((await log.file(path)).status, path).toBe(404);
    expect((await log.file('checkpoint')).headers.get('cache-control')).toBe('no-cache');
  });
});

describe('who may read it', () => {
  it('are auditors and administrators, unless the operator says otherwise', async () => {
    const beside = await startTestService({ beside: service, environment: { AUDIT_LOG_ORIGIN: origin } });
    try {
      const admin = await signIn(beside.url);
      const as = (person?: TestPerson) =>
        new LogReader(beside.url, person ? { authorization: `Bearer ${person.accessToken}` } : {});
      const statuses = async (reader: LogReader) =>
        Promise.all(['checkpoint', 'tile/0/000', 'keys'].map(async (path) => (await reader.file(path)).status));
      expect(await statuses(as())).toEqual([401, 401, 200]);
      expect(await statuses(as(ada))).toEqual([403, 403, 200]);
      expect(await statuses(as(admin))).toEqual([200, 200, 200]);
      expect((await as(admin).file('tile/0/000')).headers.get('cache-control')).toMatch(/^private, .*immutable$/);
    } finally {
      await beside.stop();
    }
  });

  it('is nobody where the log is off', async () => {
    const beside = await startTestService({
      beside: service,
      environment: { AUDIT_LOG: 'off', AUDIT_LOG_ORIGIN: origin },
    });
    try {
      for (const path of ['checkpoint', 'tile/0/000', 'keys'])
        expect((await new LogReader(beside.url).file(path)).status).toBe(404);
    } finally {
      await beside.stop();
    }
  });
});
