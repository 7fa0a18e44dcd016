import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Recorded } from '@verbatim/domain';
import { openEventStore, PostgresKeyRing, Sealer } from '@verbatim/event-store';
import postgres from 'postgres';
import { wholeLog } from '../../../../../libs/event-store/src/commotion.testing.js';
import { actualRows, expectedRows } from '../../../../../libs/projections/src/expected-rows.testing.js';
import { readConfig } from '../../config.js';
import { connect } from '../../storage/database/pool.js';
import { masterKeys } from '../../storage/vault/master-key.js';
import { rebuiltBeside } from '../harness/rebuilt.testing.js';
import { eventually, signIn, type TestPerson } from '../harness/test-client.testing.js';
import type { Heard, Hearing, Logged, Timeline } from './history.testing.js';
import { type Side, sides } from './schedule.testing.js';
import type { Site } from './site.testing.js';

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Everything as the log holds it, read and opened with the library alone, beside the service. */
export async function readLog(site: Site): Promise<Recorded[]> {
  const { DATABASE_URL: url = '', EVENT_STORE_URL = url, VERBATIM_DATA: folder = '' } = site.environment();
  const sql = connect(url);
  const store = await openEventStore({ url: EVENT_STORE_URL });
  try {
    const sealer = new Sealer(await PostgresKeyRing.open(sql, await masterKeys(readConfig({ VERBATIM_DATA: folder }))));
    return await sealer.open(await wholeLog(store));
  } finally {
    await store.close();
    await sql.end({ timeout: 5 });
  }
}

export const loggedForm = (event: Recorded): Logged => ({
  ...{ stream: event.stream, id: event.id, sealed: event.sealed, prev: event.prev, hash: event.hash },
  ...heardForm(event),
  position: Number(event.position),
});

/** What counts of an event, from whichever door it came. */
export function heardForm(event: { revision: number | bigint; type: string; data: object }): Heard {
  const { messageId = null, text = null } = event.type === 'MessagePosted' ? (event.data as Partial<Heard>) : {};
  return { revision: Number(event.revision), type: event.type, messageId, text };
}

/** Waits until the projectors have nothing left to do. */
export async function drained(site: Site): Promise<void> {
  for (const side of sides) {
    const lag = async () => {
      const text = await (await fetch(`${site.replicas[side].url}/metrics`)).text();
      return [...text.matchAll(/^verbatim_(?:projection|search)_lag (\S+)$/gm)].map(([, value]) => Number(value));
    };
    await eventually(lag, (values) => values.length === 2 && values.every((value) => value === 0));
  }
}

/** One person, signed in once at each replica. Signing in is an event, so this comes before the log is read. */
export async function signInAtBoth(site: Site, credentials: Credentials): Promise<Record<Side, TestPerson>> {
  const [left, right] = [site.replicas.left.url, site.replicas.right.url];
  return {
    left: await insist(() => signIn(left, credentials)),
    right: await insist(() => signIn(right, credentials)),
  };
}

/** Everything as both replicas report it: lists of events and of messages, and sockets from the beginning. */
export async function readDoors(
  readers: Readonly<Record<Side, TestPerson>>,
  rooms: readonly string[],
): Promise<{ hearings: Hearing[]; timelines: Timeline[] }> {
  const hearings: Hearing[] = [];
  const timelines: Timeline[] = [];
  for (const side of sides) {
    const person = readers[side];
    for (const room of rooms) {
      const path = `/v1/rooms/${room}`;
      const events: Heard[] = (await insist(() => person.all(`${path}/events`))).map(heardForm);
      hearings.push({ who: `the events of the ${side} replica`, room, after: -1, events, toTheEnd: true });
      hearings.push({
        ...{ who: `a socket of the ${side} replica`, room, after: -1, toTheEnd: true },
        events: await followToTheEnd(person, room, events.at(-1)?.revision ?? -1),
      });
      const oldest = await insist(() => person.all(`${path}/messages?order=oldest`));
      const newest = await insist(() => person.all(`${path}/messages?order=newest`));
      timelines.push(
        { who: `the messages of the ${side} replica`, room, messages: oldest },
        { who: `the newest messages of the ${side} replica`, room, messages: newest.reverse() },
      );
    }
  }
  return { hearings, timelines };
}

/**
 * Asks again while the answer is `unavailable`, as the contract has clients do: a pool of connections may come upon one
 * that was lost during the faults only when it is next used.
 */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await ask();
    } catch (error) {
      if (tries === MAX_TRIES || !String(error).includes('verbatim:error:unavailable')) throw error;
      await sleep(200);
    }
  }
}
const MAX_TRIES = 20;

async function followToTheEnd(person: TestPerson, room: string, last: number): Promise<Heard[]> {
  const socket = await person.follow(room, -1);
  await socket.when(() => (socket.events(room).at(-1)?.revision ?? -1) >= last);
  socket.close();
  return socket.events(room).map(heardForm);
}

/** Names of tables whose rows are not what the log says, once by the simple way of tests and once by a rebuild. */
export async function wrongReadModels(site: Site): Promise<string[]> {
  // People who came back only now have signed in, which is an event as well.
  await drained(site);
  const log = await readLog(site);
  const environment = site.environment();
  const sql = postgres(environment.DATABASE_URL ?? '', { max: 2, onnotice: () => undefined });
  try {
    const [live] = await sql<{ n: number }[]>`select n from desk.read_schemas where state = 'live'`;
    const [expected, actual] = [expectedRows(log), await actualRows(sql, `read_${live?.n}`)];
    const { before, after } = await rebuiltBeside(sql, environment);
    return [
      ...differences(expected, actual).map((table) => `${table}: the rows are not what the log says`),
      ...differences(before, after).map((table) => `${table}: a rebuild makes other rows`),
    ];
  } finally {
    await sql.end();
  }
}

const differences = (one: object, other: object): string[] => {
  const [these, those] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  return [...new Set([...these.keys(), ...those.keys()])].filter(
    (table) => !isDeepStrictEqual(these.get(table), those.get(table)),
  );
};
