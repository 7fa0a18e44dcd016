import { randomBytes, randomUUID } from 'node:crypto';
import { migrate, PostgresKeyRing } from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { SessionLedger, sessionMigration } from './session-ledger.js';

const master = randomBytes(32);
let url: string;
let sql: Sql;

beforeAll(async () => {
  url = await createDatabase();
  sql = postgres(url, { max: 4, onnotice: () => undefined });
});
afterAll(async () => {
  await sql.end();
  await dropDatabase(url);
});

/** Begins a connection with the statement of the release before MQTT 5. */
const beginAsBefore = (client: string, userId: string) => sql`
  insert into desk.chatt_sessions as known (client, user_id, connection, replica, kept, whereabouts, guest)
  values (${client}, ${userId}, nextval('desk.chatt_connections'), ${randomUUID()}, true, 'somewhere', false)
  on conflict (client) do update set
    connection = nextval('desk.chatt_connections'), former = known.replica, replica = excluded.replica, used_at = now(),
    whereabouts = excluded.whereabouts, kept = excluded.kept,
    sealed = case when excluded.kept and known.kept then known.sealed end`;

it('sessions move between this release and the one before MQTT 5, on the same tables', async () => {
  const [before = ''] = sessionMigration.statements;
  await migrate(sql, 'desk', sessionMigration.name, [before]);
  const userId = randomUUID();
  await beginAsBefore('early', userId);
  await migrate(sql, 'desk', sessionMigration.name, sessionMigration.statements);
  const ledger = new SessionLedger(sql, await PostgresKeyRing.open(sql, master));
  const connecting = { userId, guest: false, address: '192.0.2.1', cleanStart: false, replica: randomUUID() };
  for (const client of ['early', 'late']) {
    await beginAsBefore(client, userId);
    const subscriptions = [{ filter: 'rooms/#', qos: 1 }] as const;
    const first = await ledger.begin(client, { ...connecting, clientId: client, keepSeconds: 3_600 });
    await ledger.keep(first.entry, subscriptions);
    await beginAsBefore(client, userId);
    const second = await ledger.begin(client, { ...connecting, clientId: client, keepSeconds: 3_600 });
    expect(second.subscriptions).toEqual(subscriptions);
    expect(second.entry.connection).toBeGreaterThan(first.entry.connection);
  }
});

it('stores places of many sessions at once, and none moves back', async () => {
  const ledger = new SessionLedger(sql, await PostgresKeyRing.open(sql, master));
  const connecting = {
    userId: randomUUID(),
    guest: false,
    address: '192.0.2.1',
    cleanStart: true,
    replica: randomUUID(),
  };
  const begin = async (clientId: string, keepSeconds: number) =>
    (await ledger.begin(clientId, { ...connecting, clientId, keepSeconds })).entry;
  const [one, other, unkept] = [await begin('one', 60), await begin('other', 60), await begin('unkept', 0)];
  const [a, b] = [randomUUID(), randomUUID()];
  const move = (entry: typeof one, ...places: [string, bigint][]) => ({ entry, places: new Map(places) });
  await ledger.move([move(one, [a, 5n], [b, 7n]), move(other, [a, 9n]), move(unkept, [a, 1n])]);
  await ledger.move([move(one, [a, 4n], [b, 8n])]);
  expect(await ledger.places(one)).toEqual(
    new Map([
      [a, 5n],
      [b, 8n],
    ]),
  );
  expect(await ledger.places(other)).toEqual(new Map([[a, 9n]]));
  expect(await ledger.places(unkept)).toEqual(new Map());
});
