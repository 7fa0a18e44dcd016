import type { EventStore } from './event-store.js';
import type { Diagnosis } from './kurrentdb/diagnosis.js';
import { PostgresEventStore } from './postgres/postgres-event-store.js';
import type { TroubleLog } from './trouble-log.js';

export interface EventStoreOptions {
  /** `postgres://`, `postgresql://`, `kurrentdb://` or `kurrentdb+discover://`. */
  readonly url: string;
  /** The way around a transaction pooler, if `url` leads through one. Default: `url`. */
  readonly directUrl?: string;
  readonly log?: TroubleLog;
  /** Called whenever a lost connection has been replaced. */
  readonly onReconnect?: () => void;
}

/** There is no adapter for the scheme of a URL; the message names the scheme and not the rest, which may hold a password. */
export class UnknownEventStore extends Error {
  constructor(scheme: string) {
    super(`There is no event store for URLs that begin with ${scheme}.`);
    this.name = 'UnknownEventStore';
  }
}

/**
 * Opens the log that a URL leads to, with the adapter for its scheme. Rejects with UnknownEventStore, with
 * UnsafeDatabase, with UnsafeConnection, or with StoreUnavailable when the server cannot be used.
 */
export async function openEventStore({ url, ...options }: EventStoreOptions): Promise<EventStore> {
  const scheme = /^[a-z][a-z+]*:/.exec(url)?.[0] ?? 'no scheme';
  switch (scheme) {
    case 'postgres:':
    case 'postgresql:':
      return PostgresEventStore.open({ url, ...options });
    case 'kurrentdb:':
    case 'kurrentdb+discover:': {
      // Its client is heavy, and most do without it.
      const { KurrentEventStore } = await import('./kurrentdb/kurrent-event-store.js');
      return KurrentEventStore.open({ url, ...options });
    }
    default:
      throw new UnknownEventStore(scheme);
  }
}

/** Why a KurrentDB could not be opened, for people; `error` is what `openEventStore` rejected with. */
export async function diagnoseKurrent(url: string, error: unknown): Promise<Diagnosis> {
  const { diagnose } = await import('./kurrentdb/diagnosis.js');
  return diagnose(url, error);
}
