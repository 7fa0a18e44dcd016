import type { Face, Recorded } from '@verbatim/domain';
import type { Person } from '../../storage/directory.js';

/** An event of the log, with the parts that its reader may see. */
export interface AuditedEvent {
  readonly event: Recorded;
  /** The actor; null: the service itself. */
  readonly actor: Person | null;
  readonly face: Face;
  /** Whether its text was edited or redacted later. */
  readonly replaced: boolean;
}

/** Joins an event with its actor. */
export const audited = (
  event: Recorded,
  face: Face,
  replaced: boolean,
  people: ReadonlyMap<string, Person>,
): AuditedEvent => ({
  event,
  actor: event.actor === null ? null : (people.get(event.actor) ?? { id: event.actor, username: '' }),
  face,
  replaced,
});
