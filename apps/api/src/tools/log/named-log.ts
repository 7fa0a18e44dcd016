import { type EventStore, openEventStore, UnknownEventStore } from '@verbatim/event-store';
import { explainEventStore, UnusableServer } from '../../storage/database/unusable-server.js';
import { type Surroundings, UsageError } from '../command.js';

/** In place of a URL: the database of the service, whose URL operators do not always know. */
const OWN = 'database';

/** Opens the log that an argument names: the URL of an event store, or the word `database`. */
export async function openNamedLog(name: string, { database, log }: Surroundings): Promise<EventStore> {
  const { url, directUrl = url } = name === OWN ? await database() : { url: name };
  try {
    return await openEventStore({ url, directUrl, log });
  } catch (error) {
    if (error instanceof UnknownEventStore) throw new UsageError(error.message);
    const explained = await explainEventStore(error, url, name === OWN ? 'DATABASE_URL' : 'its URL');
    if (explained instanceof UnusableServer) throw explained;
    throw new Error(`The log at ${placeOf(url)} could not be opened: ${sentenceOf(error)}`, { cause: error });
  }
}

/** A URL without its secrets. */
export const placeOf = (url: string): string => url.replace(/\/\/[^/]*@/, '//').replace(/\?.*/, '');

/** Ends a command with a sentence and exit code 1 when a store fails or refuses; bugs and wrong calls are passed on. */
export async function plainly(work: () => Promise<number>): Promise<number> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UsageError || error instanceof TypeError || error instanceof RangeError) throw error;
    process.stderr.write(`${sentenceOf(error)}\n`);
    return 1;
  }
}

/** An attempt at several addresses fails with the errors of all of them, and no message of its own. */
function sentenceOf(error: unknown): string {
  const { message } = error instanceof AggregateError ? error.errors[0] : (error as Error);
  return message || String(error);
}

/** The log of the service, as its settings say. */
export const ownLog = ({ config }: Surroundings): string => config.EVENT_STORE_URL ?? OWN;

export const aboutNames = `A log is named by its URL, as EVENT_STORE_URL takes it, or by the word ${OWN}, which means the PostgreSQL of the service:
that of DATABASE_URL, or the one that comes along.`;
