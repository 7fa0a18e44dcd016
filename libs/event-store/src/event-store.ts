/** An event as it is handed to a store: the store keeps the text as it is and understands none of it. */
export interface NewEvent {
  /** UUID in lower case, unique in the whole log. */
  readonly id: string;
  readonly type: string;
  /** The exact text that was hashed: canonical JSON with personal fields sealed. */
  readonly sealed: string;
  /** SHA-256 of `sealed`, 64 hexadecimal digits. */
  readonly hash: string;
}

/** An event with its places: `revision` in its stream, `position` in the whole log, both from 0. */
export interface StoredEvent extends NewEvent {
  readonly stream: string;
  readonly revision: bigint;
  readonly position: bigint;
}

/** Events that are to follow the revision `expectedRevision` of a stream. */
export interface Append {
  readonly stream: string;
  readonly expectedRevision: bigint;
  readonly events: readonly NewEvent[];
}

/** Places of the last event of an append. */
export interface Appended {
  readonly revision: bigint;
  readonly position: bigint;
}

/** The expected revision of a stream that must not exist yet. */
export const NO_STREAM = -1n;

/** Somebody else appended first. Carries what the appender has not seen, so that it can decide again at once. */
export class RevisionConflict extends Error {
  constructor(
    readonly stream: string,
    readonly expectedRevision: bigint,
    /**
     * The events after `expectedRevision` in order; not necessarily all when there are very many. None only when the
     * stream has not even reached that revision, which no caller can have learned from this log.
     */
    readonly tail: readonly StoredEvent[],
  ) {
    super(`${stream} has moved past revision ${expectedRevision}`);
    this.name = 'RevisionConflict';
  }
}

/** The store was closed while a call was waiting; whether an append succeeded is then unknown. */
export class StoreClosed extends Error {
  constructor() {
    super('The event store is closed.');
    this.name = 'StoreClosed';
  }
}

/** The store cannot be asked at the moment: it is away, refuses, or does not answer. The same read may succeed later. */
export class StoreUnavailable extends Error {
  /** @param reason in a few words, without secrets; the error behind it is the `cause`. */
  constructor(
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`The event store is not available: ${reason}.`, options);
    this.name = 'StoreUnavailable';
  }
}

/** The log lacks events that were read from it before: it was put back to an earlier state, such as by restoring a backup. */
export class EventsMissing extends StoreUnavailable {
  constructor(stream: string) {
    super(`events of ${stream} that were read before are missing`);
    this.name = 'EventsMissing';
  }
}

/** The store did not answer a read in time; the same read may succeed later. */
export class StoreSilent extends StoreUnavailable {
  constructor(readonly milliseconds: number) {
    super(`no answer within ${milliseconds} ms`);
    this.name = 'StoreSilent';
  }
}

/**
 * More than the store takes in one append; a bug of the caller, who must cut its batches. The bytes are those of the
 * sealed texts in UTF-8; with types and hashes, an append stays below the 1 MiB that KurrentDB takes.
 */
export const appendLimits = { events: 500, bytes: 983_040 } as const;

export interface Subscription {
  /** Position of the last event whose handler has finished; the starting position before that. */
  readonly position: bigint;
  /** Resolves when the handler has finished with every event up to `position`; rejects with StoreClosed. */
  reached(position: bigint): Promise<void>;
  /** Stops delivery; resolves when no handler runs any more, so the handler itself must not wait for it. */
  stop(): Promise<void>;
}

export type EventHandler = (events: readonly StoredEvent[]) => void | Promise<void>;

/**
 * The log of everything that happened. Every adapter keeps these promises, and the contract suite holds it to them:
 *
 * - An append is all or nothing, durable when its promise resolves, and its events get consecutive revisions.
 * - An append whose revision is not the stream's last one fails with RevisionConflict and leaves nothing behind.
 * - The same append again (equal ids at the same place) succeeds again with the same places and stores nothing, also
 *   when others have appended on top meanwhile.
 * - While it is unknown whether an append was stored, its promise stays open; the adapter finds out by itself, however
 *   long the database is away. Callers that cannot wait put their own limit around it and treat the outcome as unknown.
 * - Reads reject with StoreUnavailable while the store cannot be asked: those of a stream and of the head within two
 *   seconds, so that waiting callers get an error.
 * - Reads include the place where they start. A position once read never gets a different event, and no event ever
 *   appears before a position that was already read.
 * - Appends to one stream made by one process without waiting for each other are stored in the order of the calls.
 */
export interface EventStore {
  /** `expectedRevision`: of the last event the caller knows, NO_STREAM (-1) for none. Rejects with RevisionConflict. */
  append(stream: string, expectedRevision: bigint, events: readonly NewEvent[]): Promise<Appended>;

  /**
   * Events of one stream from revision `from` on, in order, at most `limit`. Empty for an unknown stream. With `maxBytes`
   * it ends with the event at which the sealed texts (UTF-8) reach that size, so it always makes progress, and the store
   * hands over no more than that and one event.
   */
  read(stream: string, from: bigint, limit: number, maxBytes?: number): Promise<StoredEvent[]>;

  /** The last event of a stream, or null. */
  readLast(stream: string): Promise<StoredEvent | null>;

  /** Events of all streams from position `from` on, in order, at most `limit`. */
  readAll(from: bigint, limit: number): Promise<StoredEvent[]>;

  /** The last event of the log, or null when it is empty. */
  last(): Promise<StoredEvent | null>;

  /** Position of the last event in the log, -1 when it is empty. */
  head(): Promise<bigint>;

  /**
   * Calls `handler` with batches of every event after position `after`, each exactly once, in order, the next batch
   * only when the handler's promise has resolved. Lost connections are its own business: it goes on by itself, with
   * growing pauses. A handler that fails is called again with the same events after a pause.
   */
  subscribe(after: bigint | 'end', handler: EventHandler): Promise<Subscription>;

  /** Finishes appends already taken (bounded), ends subscriptions, lets connections go. */
  close(): Promise<void>;
}
