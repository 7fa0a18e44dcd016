import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Actor, isRejection, type RoomCommand, type RoomEvent, room, roomStream } from '@verbatim/domain';
import {
  arrayParameters,
  type Draft,
  NO_STREAM,
  PostgresEventStore,
  PostgresKeyRing,
  Sealer,
  schemaOf,
} from '@verbatim/event-store';
import { rebuild } from '@verbatim/projections';
import postgres, { type Sql } from 'postgres';
import { v7 as uuidv7 } from 'uuid';
import { messageIdOf } from './load.js';
import { startDatabase } from './lone-database.js';
import { options } from './options.js';
import { chat } from './texts.js';
import { newFolder, Verbatim } from './verbatim.js';

/** A data folder with a long history, and no service on it at the moment. */
export interface BigLog {
  readonly folder: string;
  /** The smallest first. */
  readonly rooms: readonly { readonly id: string; readonly messages: number }[];
  /** In the whole log. */
  readonly events: number;
}

/** Members of each room, who talk in turn. */
const PEOPLE = 20;
/** Over so many days, because keys are per day. */
const DAYS = 1_000;
const DAY_MS = 86_400_000;

let made: Promise<BigLog> | undefined;
let rebuilt: Promise<BigLog & { rebuildSeconds: number }> | undefined;

/** Made at the first call; the workloads that need it share it. Its read models are still empty. */
export function bigLog(): Promise<BigLog> {
  made ??= make();
  return made;
}

/** The same once its read models have been rebuilt, which is done at the first call. */
export function rebuiltBigLog(): Promise<BigLog & { rebuildSeconds: number }> {
  rebuilt ??= bigLog().then(async (log) => ({ ...log, rebuildSeconds: await rebuildReadModels(log) }));
  return rebuilt;
}

/** Rebuilds all read models; returns the seconds it took. Reopens log and vault, so that nothing is cached. */
export function rebuildReadModels({ folder }: BigLog): Promise<number> {
  return onDatabaseOf(folder, async ({ sql, store, sealer }) => {
    const begun = performance.now();
    await rebuild({ sql, store, open: (stored) => sealer.open(stored), log: silent });
    return (performance.now() - begun) / 1_000;
  });
}

async function make(): Promise<BigLog> {
  const folder = await newFolder();
  const people = await registered(folder);
  const rooms = [options.bigRoom / 1_000, options.bigRoom / 10, options.bigRoom].map((messages, i) => ({
    id: `0198a000-0000-7000-8000-00000000000${i}`,
    messages: Math.ceil(messages),
  }));
  let events = 0;
  await onDatabaseOf(folder, async ({ store, sealer }) => {
    for (const { id, messages } of rooms) await new RoomOfOld(store, sealer, id, people).live(messages);
    events = Number(await store.head()) + 1;
  });
  return { folder, rooms, events };
}

async function registered(folder: string): Promise<Actor[]> {
  const verbatim = await Verbatim.start({ folder });
  const people: Actor[] = [];
  for (let person = 0; person < PEOPLE; person++) {
    const { id } = await verbatim.call<{ id: string }>('GET', '/v1/me', await verbatim.token(person));
    people.push({ id, role: 'user' });
  }
  await verbatim.stop();
  return people;
}

// The database without the service ----------------------------------------------------------------------------------

interface OpenDatabase {
  readonly sql: Sql;
  readonly store: PostgresEventStore;
  /** One that has opened nothing yet. */
  readonly sealer: Sealer;
}

/** Opens log and vault of a data folder, which no service uses at the moment. */
export async function onDatabaseOf<T>(folder: string, work: (database: OpenDatabase) => Promise<T>): Promise<T> {
  const { url, stop } = await startDatabase(folder);
  const master = Buffer.from((await readFile(join(folder, 'master.key'), 'utf8')).trim(), 'base64');
  const types = { array: arrayParameters } as unknown as Record<string, postgres.PostgresType>;
  const sql = postgres(url, { max: 4, fetch_types: false, types, onnotice: () => undefined }) as unknown as Sql;
  const store = await PostgresEventStore.open({ url });
  try {
    return await work({ sql, store, sealer: new Sealer(await PostgresKeyRing.open(sql, master)) });
  } finally {
    await store.close();
    await sql.end();
    await stop();
  }
}

/** The schema of the read models in use. */
export async function liveSchema(sql: Sql): Promise<string> {
  const [live] = await sql<{ n: number }[]>`select n from desk.read_schemas where state = 'live'`;
  return `read_${live?.n}`;
}

const silent = { info: () => {}, warn: console.error, error: console.error };

// Writing history ---------------------------------------------------------------------------------------------------

/** Events in an append. */
const TOGETHER = 500;

/** Writes the past of a room as the service would have: decided by the rules, sealed, chained, appended to the log. */
class RoomOfOld {
  private state = room.initialState;
  private drafts: Draft[] = [];
  private stored = { revision: NO_STREAM, hash: null as string | null };
  private storing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: PostgresEventStore,
    private readonly sealer: Sealer,
    private readonly id: string,
    private readonly people: readonly Actor[],
  ) {}

  async live(messages: number): Promise<void> {
    const [owner = nobody] = this.people;
    const begun = Date.now() - (DAYS + 1) * DAY_MS;
    const settings = { topic: '', visibility: 'hidden', history: 'full', passwordId: null } as const;
    this.do({ type: 'CreateRoom', actor: owner, name: `${messages} messages`, ...settings }, begun);
    for (const { id } of this.people) this.do({ type: 'AddMember', actor: owner, userId: id, role: 'member' }, begun);
    const texts = chat();
    for (let n = 0; n < messages; n++) {
      const at = begun + Math.floor((n * DAYS * DAY_MS) / messages);
      const message = { messageId: messageIdOf(n, at), text: texts.next().value, replyTo: null, kind: 'text' } as const;
      this.do({ type: 'PostMessage', actor: this.people[n % PEOPLE] ?? owner, ...message }, at);
      if (this.drafts.length >= TOGETHER) await this.append();
    }
    await this.append();
    await this.storing;
  }

  private do(command: RoomCommand, time: number): void {
    const at = new Date(time).toISOString();
    const decision = room.decide(command, this.state, at);
    if (isRejection(decision)) throw new Error(decision.detail);
    for (const { type, data } of decision.events) {
      const revision = this.state.revision + 1n;
      const draft = { id: uuidv7({ msecs: time }), type, schema: schemaOf(type), at, actor: command.actor.id, data };
      this.drafts.push({ ...draft, correlation: draft.id });
      this.state = room.evolve(this.state, { ...draft, revision } as RoomEvent);
    }
  }

  /** Seals what has been decided while the append before is on its way. */
  private async append(): Promise<void> {
    const { revision, hash } = this.stored;
    const events = await this.sealer.seal(roomStream(this.id), revision + 1n, hash, this.drafts);
    await this.storing;
    this.stored = { revision: revision + BigInt(events.length), hash: events.at(-1)?.hash ?? hash };
    this.storing = this.store.append(roomStream(this.id), revision, events);
    this.storing.catch(() => {});
    this.drafts = [];
  }
}

const nobody: Actor = { id: '', role: 'user' };
