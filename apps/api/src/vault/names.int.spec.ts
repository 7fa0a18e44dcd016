import { randomUUID } from 'node:crypto';
import { nameKey } from '@verbatim/domain';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../testing/database.testing.js';
import { migrateVault } from './schema.js';

let url: string;
let sql: postgres.Sql;
beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 2, onnotice: () => undefined });
});
beforeEach(async () => {
  await sql`drop schema if exists vault cascade`;
  await migrateVault(sql);
  await sql`delete from vault.migrations where component = 'names'`;
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

/** The key under which an earlier release claimed a name. */
const earlierKey = (name: string) => name.normalize('NFC').trim().toLowerCase().normalize('NFC');

/** Claims as an earlier release made them, each a minute after the one before; gives their ids. */
async function claimed(kind: 'room' | 'user', names: readonly string[]): Promise<Map<string, string>> {
  const claims = new Map<string, string>();
  for (const [minute, name] of names.entries()) {
    claims.set(name, randomUUID());
    await sql`
      insert into vault.names (kind, key, owner, claim, claimed_at)
      values (${kind}, ${earlierKey(name)}, ${randomUUID()}, ${claims.get(name) as string},
        now() - interval '1 day' + make_interval(mins => ${minute}))`;
  }
  return claims;
}

const keys = async (kind: 'room' | 'user') =>
  (await sql`select key, claim from vault.names where kind = ${kind} order by key`).map(({ key, claim }) => [
    key,
    claim,
  ]);

it('claims of an earlier release have the keys of today', async () => {
  const names = ['Straße', 'ΟΔΟΣ', 'İstanbul', 'Ｂａｒ', 'tea  room', 'Crème', 'engine room'];
  const claims = await claimed('room', names);
  await migrateVault(sql);
  expect(await keys('room')).toEqual(names.map((name) => [nameKey(name), claims.get(name)]).sort());
});

it('of claims that have become the same the oldest stays', async () => {
  const claims = await claimed('room', ['Straße', 'strasse', 'bar', 'Ｂａｒ', 'ﬃ', 'FFI', 'Ffı']);
  const people = await claimed('user', ['strasse']);
  await migrateVault(sql);
  expect(await keys('room')).toEqual([
    ['bar', claims.get('bar')],
    ['ffi', claims.get('ﬃ')],
    ['strasse', claims.get('Straße')],
  ]);
  expect(await keys('user')).toEqual([['strasse', people.get('strasse')]]);
});

it('thousands of claims are brought up to date in one go', async () => {
  await sql`
    insert into vault.names (kind, key, owner, claim)
    select 'room', 'größe ' || n / 2 || case when n % 2 = 0 then 'ß' else 'ss' end, gen_random_uuid(), gen_random_uuid()
    from generate_series(0, 19999) as n`;
  await migrateVault(sql);
  const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`
    select count(*)::int from vault.names where key ~ '^grösse [0-9]+ss$'`;
  expect(count).toBe(10_000);
});
