import { type Face, type Recorded, view, WITHHELD, withheld } from '@verbatim/domain';
import type { AnswerOf, Person } from '@verbatim/protocol';

type Event = AnswerOf<'listEvents'>['items'][number];

/** An event of a room as one face sees it. */
export const eventAnswer = (event: Recorded, face: Face, replaced: boolean, people: ReadonlyMap<string, Person>) =>
  (withheld(event, face)
    ? placeOf(event)
    : {
        id: event.id,
        stream: event.stream,
        revision: Number(event.revision),
        position: Number(event.position),
        type: event.type,
        at: event.at,
        occurredAt: event.occurredAt,
        actor: event.actor === null ? null : (people.get(event.actor) ?? { id: event.actor, username: '' }),
        data: view(event, face, replaced),
        sealed: event.sealed,
        prev: event.prev,
        hash: event.hash,
      }) as Event;

/** An event that the reader may not see, reduced to what shows that the chain has no gap. */
const placeOf = ({ id, stream, revision, position, at, prev, hash }: Recorded) => ({
  id,
  stream,
  revision: Number(revision),
  position: Number(position),
  type: WITHHELD,
  at,
  actor: null,
  data: {},
  sealed: null,
  prev,
  hash,
});
