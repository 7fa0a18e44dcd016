import { randomBytes, randomUUID } from 'node:crypto';
import { userStream } from '@verbatim/domain';
import { ownKeyName, PostgresKeyRing } from '@verbatim/event-store';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { Preferences } from '../desk/preferences.js';
import { PersonalTokens } from './personal-tokens.js';
import { migrateVault } from './schema.js';

const master = randomBytes(32);
const [ada, zoe] = [randomUUID(), randomUUID()];
let url: string;
let sql: postgres.Sql;
beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 4, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

const openRing = () => PostgresKeyRing.open(sql, master);
const now = () => new Date('2026-03-01T12:00:00.000Z');

/** Reverts the tables to the schema of an earlier release, with these texts in plain text. */
async function earlierRelease(): Promise<void> {
  const ring = await openRing();
  await migrateVault(sql, ring);
  (await PersonalTokens.open(sql, ring, now)).stop();
  await Preferences.open(sql, ring);
  await sql`alter table vault.personal_tokens drop column parent_id`;
  await sql`alter table vault.personal_tokens rename column sealed_name to name`;
  await sql`alter table desk.preferences rename column sealed to preferences`;
  await sql`delete from vault.migrations where component = 'personal tokens' and step > 0`;
  await sql`delete from desk.migrations where component = 'preferences' and step > 0`;
  for (const [holder, name] of [
    [ada, 'quernstone laptop'],
    [zoe, 'ท่าเรือ 🚢'],
  ] as const) {
    await sql`
      insert into vault.personal_tokens (id, hash, user_id, name, scopes, created_at)
      values (${randomUUID()}, ${randomUUID()}, ${holder}, ${name}, 'read', now())`;
    await sql`insert into desk.preferences (user_id, preferences) values (${holder}, ${`theme of ${name}`})`;
  }
}

it('names of tokens and preferences of an earlier release are sealed, and stay readable until the person is forgotten', async () => {
  await earlierRelease();
  const rings = await Promise.all([openRing(), openRing()]);
  const [[tokens, preferences]] = (await Promise.all(
    rings.map(async (ring) => [await PersonalTokens.open(sql, ring, now), await Preferences.open(sql, ring)]),
  )) as [[PersonalTokens, Preferences]];

  const stored = JSON.stringify([
    await sql`select * from vault.personal_tokens`,
    await sql`select * from desk.preferences`,
  ]);
  expect(stored).not.toMatch(/quernstone|ท่าเรือ|theme/);
  expect((await tokens.of(ada)).map(({ name }) => name)).toEqual(['quernstone laptop']);
  expect(await preferences.of(zoe)).toBe('theme of ท่าเรือ 🚢');

  await sql`delete from vault.keys where name = ${ownKeyName(userStream(zoe))}`;
  const ring = await openRing();
  const reopened = await PersonalTokens.open(sql, ring, now);
  const { items } = await reopened.everywhere({ bots: sql`select null::uuid` }, { limit: 10 });
  expect(items.map(({ name }) => name).sort()).toEqual(['', 'quernstone laptop']);
  expect(await (await Preferences.open(sql, ring)).of(zoe)).toBe('');
});
