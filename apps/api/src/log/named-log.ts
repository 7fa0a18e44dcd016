import { type EventStore, openEventStore, UnknownEventStore } from '@verbatim/event-store';
import { type Surroundings, UsageError } from '../cli/command.js';

/** In place of a URL: the database of the service, of which operators do not always know the URL. */
const OWN = 'database';

/** Opens the log that an argument names: the URL of an event store, or the word `database`. */
export async function openNamedLog(name: string, { database, log }: Surroundings): Promise<EventStore> {
  const { url, directUrl = url } = name === OWN ? await database() : { url: name };
  try {
    return await openEventStore({ url, directUrl, log });
  } catch (error) {
    throw error instanceof UnknownEventStore ? new UsageError(error.message) : error;
  }
}

/** The log of the service, as its settings say. */
export const ownLog = ({ config }: Surroundings): string => config.EVENT_STORE_URL ?? OWN;

export const aboutNames = `A log is named by its URL, as EVENT_STORE_URL takes it, or by the word ${OWN}, which means the PostgreSQL of the service:
that of DATABASE_URL, or the one that comes along.`;
