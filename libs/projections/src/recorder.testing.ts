import { type DomainEvent, type Happened, type Recorded, roomStream, userStream } from '@verbatim/domain';
import { type EventStore, MemoryEventStore, type NewEvent, type StoredEvent } from '@verbatim/event-store';

/** Time of the first event; a second lies between two events. */
export const BEGINNING = Date.parse('2026-01-31T12:00:00.000Z');

type Fact = {
  readonly [E in DomainEvent as E['type']]: { readonly type: E['type']; readonly data: E['data'] };
}[DomainEvent['type']];

/** Makes a log of events in memory, as if they had been decided, sealed and opened. */
export class Recorder {
  readonly events: Recorded[] = [];
  private readonly revisions = new Map<string, bigint>();

  /** The revision at which the next event of the stream will stand. */
  next(stream: string): bigint {
    return this.revisions.get(stream) ?? 0n;
  }

  room(roomId: string, actor: string | null, fact: Fact, occurredAt?: string): Recorded {
    return this.record(roomStream(roomId), actor, fact, occurredAt);
  }

  user(userId: string, fact: Fact): Recorded {
    return this.record(userStream(userId), userId, fact);
  }

  record(stream: string, actor: string | null, fact: { type: string; data: unknown }, occurredAt?: string): Recorded {
    const position = this.events.length;
    const revision = this.next(stream);
    this.revisions.set(stream, revision + 1n);
    const happened: Happened = {
      type: fact.type,
      data: fact.data,
      revision,
      at: new Date(BEGINNING + position * 1_000).toISOString(),
      ...(occurredAt && { occurredAt }),
      actor,
    };
    const id = `00000000-0000-7000-8000-${position.toString(16).padStart(12, '0')}`;
    const envelope = {
      id,
      stream,
      position: BigInt(position),
      schema: 1,
      correlation: id,
      prev: null,
      // No real hash, but as different as one.
      hash: id,
      sealed: '',
    };
    const event = { ...happened, ...envelope } as unknown as Recorded;
    this.events.push(event);
    return event;
  }
}

/** The form in which a store takes an event: nothing is really sealed, so that `open` needs no keys. */
export function sealedEvent(event: Recorded): NewEvent {
  const { stream: _, revision: __, position: ___, ...rest } = event;
  return { id: event.id, type: event.type, sealed: JSON.stringify(rest), hash: event.hash };
}

export const open = async (stored: readonly StoredEvent[]): Promise<Recorded[]> =>
  stored.map(
    ({ stream, revision, position, sealed }) => ({ ...JSON.parse(sealed), stream, revision, position }) as Recorded,
  );

/** Appends events to a store in their order, so that they stand at their positions if it was empty. */
export async function append(store: EventStore, events: readonly Recorded[]): Promise<void> {
  for (const event of events) await store.append(event.stream, event.revision - 1n, [sealedEvent(event)]);
}

export async function storeOf(events: readonly Recorded[]): Promise<MemoryEventStore> {
  const store = new MemoryEventStore();
  await append(store, events);
  return store;
}
