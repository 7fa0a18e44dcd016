import { createHash } from 'node:crypto';
import { sealEvent } from './envelope.js';
import { type EventStore, NO_STREAM, type StoredEvent } from './event-store.js';
import { MemoryEventStore } from './memory/memory-event-store.js';

export interface GeneratedLog {
  readonly events: number;
  readonly rooms: number;
  /** Most events of one room that stand next to each other. */
  readonly run?: number;
}

/**
 * A log such as the service writes, sealed and chained: many rooms talking at once, texts of all lengths and in several
 * scripts, some of the events imported from long ago, some of a type that this release does not know.
 */
export function generatedLog({ events, rooms, run = 4 }: GeneratedLog): StoredEvent[] {
  const random = seeded();
  const heads = new Map<string, { revision: bigint; hash: string | null }>();
  const log: StoredEvent[] = [];
  while (log.length < events) {
    const stream = `room-${uuid(Math.floor(random() ** 2 * rooms), 'room')}`;
    for (let left = 1 + Math.floor(random() * run); left > 0 && log.length < events; left--) {
      const head = heads.get(stream) ?? { revision: NO_STREAM, hash: null };
      const place = { stream, revision: head.revision + 1n, prev: head.hash };
      const event = sealEvent(draft(log.length, random), place, key);
      heads.set(stream, { revision: place.revision, hash: event.hash });
      log.push({ ...event, stream, revision: place.revision, position: BigInt(log.length) });
    }
  }
  return log;
}

/** A store in memory that holds these events. */
export async function memoryStoreOf(events: readonly StoredEvent[]): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  await appendAll(store, events);
  return store;
}

/** One append for each event. */
export async function appendAll(store: EventStore, events: readonly StoredEvent[]): Promise<void> {
  for (const { stream, revision, id, type, sealed, hash } of events) {
    await store.append(stream, revision - 1n, [{ id, type, sealed, hash }]);
  }
}

const key = createHash('sha256').update('the key of a test').digest();
const words = [
  'engine',
  'Zahnräder',
  '蒸気機関',
  '👩🏽‍🔧',
  'ماكينة',
  '"quoted"',
  'back\\slash',
  '\u2028',
  'x'.repeat(40),
  '\n',
];

function draft(n: number, random: () => number) {
  const text = Array.from({ length: 1 + Math.floor(random() ** 4 * 200) }, () => words[Math.floor(random() * 10)]);
  const at = new Date(Date.UTC(2026, 0, 31) + n * 500).toISOString();
  const common = { id: uuid(n, 'event'), schema: 1, at, actor: uuid(n % 50, 'user'), correlation: uuid(n, 'cause') };
  if (random() < 0.05) return { ...common, type: 'PollStarted', data: { question: text.join(' ') } };
  return {
    ...common,
    type: 'MessagePosted',
    ...(random() < 0.1 && { occurredAt: '2004-06-01T12:00:00.000Z' }),
    data: { messageId: uuid(n, 'message'), text: text.join(' '), replyTo: null, kind: 'text' },
  };
}

function uuid(n: number, kind: string): string {
  const hex = createHash('md5').update(`${kind} ${n}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** The same numbers in every run: mulberry32. */
function seeded(seed = 7): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
