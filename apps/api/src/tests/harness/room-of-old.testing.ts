import { type Actor, isRejection, room, roomStream } from '@verbatim/domain';
import {
  arrayParameters,
  type Draft,
  NO_STREAM,
  PostgresEventStore,
  PostgresKeyRing,
  Sealer,
  schemaOf,
} from '@verbatim/event-store';
import postgres, { type Sql } from 'postgres';
import { v7 as uuidv7 } from 'uuid';
import { readConfig } from '../../config.js';
import { masterKeys } from '../../storage/vault/master-key.js';

/** Events in an append. */
const TOGETHER = 500;

export interface RoomOfOld {
  readonly id: string;
  readonly owner: string;
  readonly messages: number;
}

/** Writes a room with many messages to the log of a service that is not running, sealed and chained as the service does it. */
export async function writeRoomOfOld(
  databaseUrl: string,
  folder: string,
  { id, owner, messages }: RoomOfOld,
): Promise<void> {
  const types = { array: arrayParameters } as unknown as Record<string, postgres.PostgresType>;
  const sql = postgres(databaseUrl, { max: 2, fetch_types: false, types, onnotice: () => undefined }) as unknown as Sql;
  const store = await PostgresEventStore.open({ url: databaseUrl });
  try {
    const sealer = new Sealer(await PostgresKeyRing.open(sql, await masterKeys(readConfig({ VERBATIM_DATA: folder }))));
    let [revision, prev, drafts] = [NO_STREAM, null as string | null, beginningOf(id, owner)];
    for (let n = 0; drafts.length > 0; ) {
      while (n < messages && drafts.length < TOGETHER) drafts.push(message(owner, n++));
      const events = await sealer.seal(roomStream(id), revision + 1n, prev, drafts);
      await store.append(roomStream(id), revision, events);
      revision += BigInt(events.length);
      prev = events.at(-1)?.hash ?? prev;
      drafts = [];
      if (n < messages) drafts.push(message(owner, n++));
    }
  } finally {
    await store.close();
    await sql.end();
  }
}

/** The text of the nth message. */
export const oldText = (n: number): string => `message ${n}: ${'the quick brown fox ☕ '.repeat(1 + (n % 5))}`;

function beginningOf(id: string, owner: string): Draft[] {
  const actor: Actor = { id: owner, role: 'user' };
  const settings = { topic: '', visibility: 'private', history: 'full', passwordId: null } as const;
  const created = room.decide({ type: 'CreateRoom', actor, name: `Room ${id}`, ...settings }, room.initialState, now());
  if (isRejection(created)) throw new Error(created.detail);
  return created.events.map(({ type, data }) => draft(owner, type, data));
}

const message = (owner: string, n: number): Draft =>
  draft(owner, 'MessagePosted', { messageId: uuidv7(), text: oldText(n), replyTo: null, kind: 'text' });

function draft(owner: string, type: Parameters<typeof schemaOf>[0], data: object): Draft {
  const id = uuidv7();
  return { id, type, schema: schemaOf(type), at: now(), actor: owner, correlation: id, data };
}

const now = (): string => new Date().toISOString();
