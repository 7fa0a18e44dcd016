import { randomBytes } from 'node:crypto';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ownKeyName } from './envelope.js';
import { PostgresKeyRing } from './key-ring.js';
import { createTestDatabase, type TestDatabase } from './postgres/test-database.testing.js';
import { Snapshots } from './snapshots.js';

const stream = 'room-r1';
const at = (revision: bigint) => ({ revision, hash: `hash ${revision}`, state: `the state at ${revision}` });
let database: TestDatabase;
let sql: postgres.Sql;
let snapshots: Snapshots;

const master = randomBytes(32);

beforeAll(async () => {
  database = await createTestDatabase();
  sql = postgres(database.url, { max: 4, onnotice: () => {} });
});
beforeEach(async () => {
  snapshots = await Snapshots.open(sql, await PostgresKeyRing.open(sql, master));
  await sql`truncate cache.snapshots`;
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

it('a snapshot is given back as it was saved', async () => {
  expect(await snapshots.load(stream, 'rules 1')).toBeNull();
  await snapshots.save(stream, 'rules 1', at(1_000n));
  expect(await snapshots.load(stream, 'rules 1')).toEqual(at(1_000n));
  expect(await snapshots.load('room-r2', 'rules 1')).toBeNull();
});

it('it cannot be read in the database', async () => {
  await snapshots.save(stream, 'rules 1', at(1_000n));
  const [row] = await sql`select * from cache.snapshots`;
  expect(JSON.stringify(row)).not.toContain('the state');
  expect(Buffer.from(row?.sealed, 'base64url').includes('the state')).toBe(false);
});

it('a newer one takes its place, an older one does not', async () => {
  await snapshots.save(stream, 'rules 1', at(1_000n));
  await snapshots.save(stream, 'rules 1', at(2_000n));
  expect(await snapshots.load(stream, 'rules 1')).toEqual(at(2_000n));
  await snapshots.save(stream, 'rules 1', at(1_500n));
  expect(await snapshots.load(stream, 'rules 1')).toEqual(at(2_000n));
});

it('the newest of many saved at the same time remains', async () => {
  await Promise.all(Array.from({ length: 20 }, (_, i) => snapshots.save(stream, 'rules 1', at(BigInt(i)))));
  expect(await snapshots.load(stream, 'rules 1')).toEqual(at(19n));
});

it('revisions may be larger than a 32-bit number', async () => {
  await snapshots.save(stream, 'rules 1', at(5_000_000_000n));
  expect(await snapshots.load(stream, 'rules 1')).toEqual(at(5_000_000_000n));
});

it('one that was made by other rules does not count, and gives way whatever its revision', async () => {
  await snapshots.save(stream, 'rules 1', at(2_000n));
  expect(await snapshots.load(stream, 'rules 2')).toBeNull();
  await snapshots.save(stream, 'rules 2', at(1_000n));
  expect(await snapshots.load(stream, 'rules 2')).toEqual(at(1_000n));
  expect(await snapshots.load(stream, 'rules 1')).toBeNull();
});

it.each([
  ['its text', () => sql`update cache.snapshots set sealed = overlay(sealed placing '????' from 20)`],
  ['the end of its text', () => sql`update cache.snapshots set sealed = left(sealed, -4)`],
  ['all of its text', () => sql`update cache.snapshots set sealed = ''`],
  ['its revision', () => sql`update cache.snapshots set revision = revision + 1`],
  ['its hash', () => sql`update cache.snapshots set hash = 'other'`],
  ['its rules', () => sql`update cache.snapshots set rules = 'rules 1'`],
  ['its stream', () => sql`update cache.snapshots set stream = ${stream} where stream = 'room-r2'`],
])('one that was damaged does not count: %s', async (what, damage) => {
  const [where, rules] = [what === 'its stream' ? 'room-r2' : stream, what === 'its rules' ? 'rules 0' : 'rules 1'];
  await snapshots.save(where, rules, at(1_000n));
  await damage();
  expect(await sql`select 1 from cache.snapshots where stream = ${stream} and rules = 'rules 1'`).toHaveLength(1);
  expect(await snapshots.load(stream, 'rules 1')).toBeNull();
});

it('one whose key was destroyed does not count', async () => {
  await snapshots.save(stream, 'rules 1', at(1_000n));
  await sql`delete from vault.keys where name = ${ownKeyName(stream)}`;
  const later = await Snapshots.open(sql, await PostgresKeyRing.open(sql, master));
  expect(await later.load(stream, 'rules 1')).toBeNull();
  await later.save(stream, 'rules 1', at(2_000n));
  expect(await later.load(stream, 'rules 1')).toEqual(at(2_000n));
});

it('what was folded before an erasure is not saved any more, by whatever process', async () => {
  const other = await Snapshots.open(sql, await PostgresKeyRing.open(sql, master));
  await Promise.all([snapshots, other].map((one) => one.load(stream, 'rules 1')));
  await snapshots.save(stream, 'rules 1', at(1_000n));
  await other.erase([stream, 'room-r2']);
  expect(await snapshots.load(stream, 'rules 1')).toBeNull();
  // Of what was folded since, this process may save; the other one has not begun anew.
  await other.save(stream, 'rules 1', at(3_000n));
  await snapshots.save(stream, 'rules 1', at(2_000n));
  expect(await snapshots.load(stream, 'rules 1')).toEqual(at(2_000n));
  await other.load(stream, 'rules 1');
  await other.save(stream, 'rules 1', at(4_000n));
  expect(await snapshots.load(stream, 'rules 1')).toEqual(at(4_000n));
});
