import type { Logger } from 'pino';
import type { Config } from '../../config.js';
import { findRunning, startEmbeddedPostgres } from '../embedded-postgres/embedded-postgres.js';

/** The PostgreSQL that stores everything: the operator's, or the embedded one, which runs as long as the service. */
export interface Database {
  readonly url: string;
  /** Bypasses a transaction pooler. */
  readonly directUrl: string;
  /** Resolves with a sentence when the embedded database exits unexpectedly. */
  readonly lost: Promise<string>;
  stop(): Promise<void>;
}

/** The database of DATABASE_URL, or else the embedded one in the data folder, started now. */
export async function openDatabase(config: Config, log: Logger): Promise<Database> {
  if (config.DATABASE_URL) return external(config.DATABASE_URL, config.DATABASE_DIRECT_URL);
  const embedded = await startEmbeddedPostgres(config.VERBATIM_DATA, {
    log: (line) => log.debug({ postgres: line }, 'database'),
    bin: config.POSTGRES_BIN,
  });
  return {
    url: embedded.url,
    directUrl: embedded.url,
    lost: embedded.exited.then(
      ({ code, signal }) => `The database exited unexpectedly (code ${code}, signal ${signal}).`,
    ),
    stop: () => embedded.stop(),
  };
}

/** For the command line: the database of the service that is running on this data folder, or else one for this command only. */
export async function attachDatabase(config: Config, log: Logger): Promise<Database> {
  const running = config.DATABASE_URL ? null : await findRunning(config.VERBATIM_DATA);
  return running ? external(running) : openDatabase(config, log);
}

const external = (url: string, directUrl = url): Database => ({
  url,
  directUrl,
  lost: new Promise(() => undefined),
  stop: async () => undefined,
});
