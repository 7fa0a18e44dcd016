import type { Recorded } from '@verbatim/domain';
import type { Person } from '../../storage/directory.js';

/** An event as whoever exports it may see it. */
export interface ShownEvent {
  readonly event: Pick<Recorded, 'id' | 'stream' | 'type' | 'at' | 'occurredAt' | 'revision'>;
  readonly ordinal: number;
  /** The name of its room; null for other streams, and where it is forgotten. */
  readonly roomName: string | null;
  /** Null: the service itself. */
  readonly actor: Person | null;
  /** What they may see of its data. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Whether its text is kept from them, because it was edited or redacted later. */
  readonly replaced: boolean;
}

/** The name by which people are called in bundles: usernames are never erased, nor do they change. */
export const nameOf = (person: Person | null): string => (person === null ? '' : person.username || person.id);

/** A field that should be a text. */
export const textIn = (data: Readonly<Record<string, unknown>>, field: string): string | null => {
  const value = data[field];
  return typeof value === 'string' ? value : null;
};
