import type { Rejection } from './rejection.js';

/** The user who issues a command. `role` is the role on the server, not in a room. */
export interface Actor {
  readonly id: string;
  readonly role: ServerRole;
}

/** A personal field: null once the key that sealed it has been destroyed. */
export type Erasable = string | null;

export type ServerRole = 'user' | 'admin' | 'auditor';

/** The part of a recorded event that folding needs: what happened, where in the stream, when, and by whom. */
export interface Happened<T extends string = string, D = unknown> {
  readonly type: T;
  readonly data: D;
  /** Place in the stream, from 0. */
  readonly revision: bigint;
  /** When it was recorded: RFC 3339, UTC, milliseconds. */
  readonly at: string;
  /** When it took place, if that was before it was recorded: imports and seeds only. */
  readonly occurredAt?: string;
  /** The door of an older chat system through which it was requested; absent for our own API. */
  readonly door?: string;
  /** Id of the user who caused it, or null for the service itself. */
  readonly actor: string | null;
}

/** When it took place, as far as known. */
export const happenedAt = (event: { at: string; occurredAt?: string }): string => event.occurredAt ?? event.at;

/** What `decide` returns: type and data of an event to be recorded. */
export type NewFact<E extends Happened> =
  E extends Happened<infer T, infer D> ? { readonly type: T; readonly data: D } : never;

/**
 * An accepted command. No events means that there was nothing to do;
 * `earlier` is then the revision of the event that did it, where the caller needs it.
 */
export interface Accepted<E extends Happened> {
  readonly events: readonly NewFact<E>[];
  readonly earlier?: bigint;
}

export type Decision<E extends Happened> = Accepted<E> | Rejection;

/**
 * Pure rules of one kind of stream. `decide` may refuse but never throws for a caller's mistake; `evolve` accepts every
 * event that was ever recorded and never refuses. Neither reads a clock, makes an id or performs I/O.
 */
export interface Decider<S, C, E extends Happened> {
  /** Streams are named `<category>-<id>`. */
  readonly category: StreamCategory;
  /** Increase it when the shape of the state or `evolve` changes: snapshots of other versions are ignored. */
  readonly stateVersion: number;
  readonly initialState: S;
  readonly evolve: (state: S, event: E) => S;
  /** `now` is the time by the clock: RFC 3339, UTC, milliseconds. Events in the state may have later times, see `eventTime`. */
  readonly decide: (command: C, state: S, now: string) => Decision<E>;
}

/** All categories of streams. In a store with other streams, they identify those of the log. */
export const streamCategories = [
  'room',
  'user',
  'invitation',
  'announcement',
  'maintenance',
  'auditlog',
  'erasure',
  'export',
] as const;
export type StreamCategory = (typeof streamCategories)[number];

/** The name of the stream that holds one entity's events. */
export const streamName = (category: string, id: string): string => `${category}-${id}`;

/** Splits a stream name at its first hyphen; the id may contain hyphens itself. */
export function parseStream(stream: string): { category: string; id: string } {
  const cut = stream.indexOf('-');
  return { category: stream.slice(0, cut), id: stream.slice(cut + 1) };
}
