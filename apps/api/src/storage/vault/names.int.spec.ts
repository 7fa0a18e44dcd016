import { randomBytes, randomUUID } from 'node:crypto';
import { nameKey } from '@verbatim/domain';
import { type KeyRing, PostgresKeyRing } from '@verbatim/event-store';
import postgres from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { NameCipher } from './name-cipher.js';
import { Names } from './names.js';
import { migrateVault } from './schema.js';

let url: string;
let sql: postgres.Sql;
let keys: KeyRing;
let cipher: NameCipher;
beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 2, onnotice: () => undefined });
});
beforeEach(async () => {
  await sql`drop schema if exists vault cascade`;
  keys = await PostgresKeyRing.open(sql, randomBytes(32));
  cipher = await NameCipher.open(keys);
  await migrateVault(sql, keys);
  await sql`delete from vault.migrations where component = 'names'`;
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

/** The key under which an earlier release claimed a name. */
const earlierKey = (name: string) => name.normalize('NFC').trim().toLowerCase().normalize('NFC');

/** Claims as an earlier release made them, one minute apart; returns their ids. */
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

const held = async (kind: 'room' | 'user') => {
  const rows = await sql<{ key: string; claim: string }[]>`select key, claim from vault.names where kind = ${kind}`;
  return new Map(rows.map(({ key, claim }) => [key, claim]));
};

/** What the table holds for these names and claims. */
const byName = (
  claims: readonly (readonly [name: string, claim: string | undefined])[],
  kind: 'room' | 'user' = 'room',
) => new Map(claims.map(([name, claim]) => [cipher.hash(kind, name), claim]));

it('claims of an earlier release get the current keys', async () => {
  const names = ['Straße', 'ΟΔΟΣ', 'İstanbul', 'Ｂａｒ', 'tea  room', 'Crème', 'engine room'];
  const made = await claimed('room', names);
  await migrateVault(sql, keys);
  expect(await held('room')).toEqual(byName(names.map((name) => [nameKey(name), made.get(name)])));
});

it('when claims collide, the oldest stays', async () => {
  const made = await claimed('room', ['Straße', 'strasse', 'bar', 'Ｂａｒ', 'ﬃ', 'FFI', 'Ffı']);
  const people = await claimed('user', ['strasse']);
  await migrateVault(sql, keys);
  const kept = [
    ['bar', made.get('bar')],
    ['ffi', made.get('ﬃ')],
    ['strasse', made.get('Straße')],
  ] as const;
  expect(await held('room')).toEqual(byName(kept));
  expect(await held('user')).toEqual(byName([['strasse', people.get('strasse')]], 'user'));
});

it('thousands of claims are updated at once', async () => {
  await sql`
    insert into vault.names (kind, key, owner, claim)
    select 'room', 'größe ' || n / 2 || case when n % 2 = 0 then 'ß' else 'ss' end, gen_random_uuid(), gen_random_uuid()
    from generate_series(0, 19999) as n`;
  await migrateVault(sql, keys);
  const [{ count } = { count: 0 }] = await sql<{ count: number }[]>`
    select count(*)::int from vault.names`;
  expect(count).toBe(10_000);
  expect([...(await held('room')).keys()]).toContain(cipher.hash('room', 'grösse 77ss'));
});

it('names of an earlier release are hashed and usernames sealed, once, however many replicas start', async () => {
  await claimed('user', ['zygmunt', 'zoë']);
  await claimed('room', ['zygmunt', 'Tea room']);
  await Promise.all([migrateVault(sql, keys), migrateVault(sql, keys)]);
  const before = await sql`select kind, key, owner, username from vault.names order by key`;
  await sql`delete from vault.migrations where component = 'names'`;
  await migrateVault(sql, keys);
  expect(await sql`select kind, key, owner, username from vault.names order by key`).toEqual(before);

  expect(JSON.stringify(before)).not.toMatch(/zygmunt|zoë|tea room/);
  expect(new Set(before.map(({ key }) => key)).size).toBe(4);
  const owner = before.find(({ key }) => key === cipher.hash('user', 'zoë'))?.owner as string;
  const names = new Names(sql, { stands: async () => true }, cipher);
  expect(await names.usernames([owner])).toEqual(new Map([[owner, 'zoë']]));
  expect(await names.ownerOf('user', 'zoë')).toBe(owner);
  expect(await names.claim('user', 'zoë', randomUUID())).toBeNull();
});
