import type { Recorded, RoomEvent } from '@verbatim/domain';

/** An account as others see it. */
export interface Person {
  readonly id: string;
  readonly username: string;
}

/** A room event being delivered to subscribers. */
export interface LiveEvent {
  readonly event: Recorded;
  readonly revision: bigint;
  readonly actor: Person | null;
  /** The text was replaced by a later edit or redaction. */
  readonly replaced: boolean;
}

/** `people`: all actors who still exist. */
export const toLiveEvent = (event: Recorded, people: ReadonlyMap<string, Person>, replaced: boolean): LiveEvent => ({
  event,
  revision: event.revision,
  actor: event.actor === null ? null : (people.get(event.actor) ?? { id: event.actor, username: '' }),
  replaced,
});

/** The same events, marking texts that a later event in the batch replaces; such texts are never sent. */
export function withReplaced(events: readonly LiveEvent[]): readonly LiveEvent[] {
  if (!events.some(({ event }) => event.type === 'MessageEdited' || event.type === 'MessageRedacted')) return events;
  const changed = new Set<string>();
  return events
    .toReversed()
    .map((live) => {
      const { type, data } = live.event as RoomEvent;
      if (type !== 'MessagePosted' && type !== 'MessageEdited' && type !== 'MessageRedacted') return live;
      const replaced = live.replaced || changed.has(data.messageId);
      if (type !== 'MessagePosted') changed.add(data.messageId);
      return { ...live, replaced };
    })
    .reverse();
}
