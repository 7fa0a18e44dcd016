import { type Face, type Recorded, view, WITHHELD, withheld } from '@verbatim/domain';
import type { AnswerOf, Person } from '@verbatim/protocol';
import type { AuditedEvent } from '../application/audit/audited-event.js';

type RoomEvent = AnswerOf<'listEvents'>['items'][number];
type UserEvent = AnswerOf<'listUserEvents'>['items'][number];

/** An event of a room as its reader may see it. */
export const roomEventAnswer = ({ event, face, replaced, actor }: AuditedEvent): RoomEvent =>
  eventAnswer(event, face, replaced, actor) as RoomEvent;

/** An event of an account. */
export const userEventAnswer = ({ event, face, replaced, actor }: AuditedEvent): UserEvent =>
  eventAnswer(event, face, replaced, actor) as UserEvent;

/** An event as one face sees it. `replaced`: whether its text was edited or redacted later. */
export const eventAnswer = (event: Recorded, face: Face, replaced: boolean, actor: Person | null): object =>
  withheld(event, face)
    ? placeOf(event)
    : {
        id: event.id,
        stream: event.stream,
        revision: Number(event.revision),
        position: Number(event.position),
        type: event.type,
        at: event.at,
        occurredAt: event.occurredAt,
        actor,
        door: event.door,
        data: view(event, face, replaced),
        sealed: event.sealed,
        prev: event.prev,
        hash: event.hash,
      };

/** What a reader sees of an event that is withheld from them: enough to see that the chain has no gap. */
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
