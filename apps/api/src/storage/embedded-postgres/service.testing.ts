import { DataFolderInUse, startEmbeddedPostgres } from './embedded-postgres.js';

/**
 * The smallest service on the embedded PostgreSQL, to be run and killed by tests: `node service.testing.js <folder>
 * [port]`. Reports what happens on standard output, one JSON object per line. Exits with 3 when the folder is in use, and
 * on SIGUSR2 with 7, without stopping its database.
 */
const [folder = '', port] = process.argv.slice(2);
const say = (fact: object) => process.stdout.write(`${JSON.stringify(fact)}\n`);
const log = (line: string) => process.stderr.write(`${line}\n`);

try {
  say({ starting: process.pid });
  const database = await startEmbeddedPostgres(folder, { log, ...(port && { port: Number(port) }) });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => database.stop().then(() => process.exit(0)));
  }
  process.once('SIGUSR2', () => process.exit(7));
  say({ ready: { url: database.url, pid: database.pid } });
  const end = await database.exited;
  say({ exited: end });
  process.exit(1);
} catch (error) {
  say({ refused: (error as Error).message });
  process.exit(error instanceof DataFolderInUse ? 3 : 1);
}
