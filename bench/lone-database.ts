import { endLater } from './processes.js';

/** The PostgreSQL of a data folder without the service. */
export interface LoneDatabase {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts it as the service does, in a folder that no service uses at the moment. */
export async function startDatabase(folder: string): Promise<LoneDatabase> {
  const { startEmbeddedPostgres } = (await import(embedded.href)) as {
    startEmbeddedPostgres(folder: string): Promise<LoneDatabase>;
  };
  const { url, pid, stop } = await startEmbeddedPostgres(folder);
  return { url, pid, stop: endLater(stop) };
}

const embedded = new URL('../../apps/api/dist/storage/embedded-postgres/embedded-postgres.js', import.meta.url);
