import 'reflect-metadata';
import type { Logger } from 'pino';
import { about, type Config, readConfig } from './config.js';
import { doors } from './doors/doors.js';
import { nodeWarning } from './node-release.js';
import { processLog } from './process-log.js';
import { type Service, startService } from './service.js';
import { type Database, openDatabase } from './storage/database/database.js';
import { UnusableServer } from './storage/database/unusable-server.js';
import { units } from './units/units.js';

/** Milliseconds after which an unfinished shutdown is cut short. */
const SHUTDOWN_LIMIT_MS = 30_000;

/** `npm start`: the whole service in one process, until a signal stops it. */
async function main(): Promise<void> {
  const config = readConfig(process.env, [...units, ...doors]);
  const log = processLog(config.LOG_LEVEL);
  const warning = nodeWarning(process.version, new Date());
  if (warning) log.warn(warning);
  const starting = start(config, log);
  let ending = false;
  const end = (why: string, code: number) => {
    if (!ending) void finish(why, code);
    ending = true;
  };
  const finish = async (why: string, code: number) => {
    log.info(`${why}; ending`);
    setTimeout(() => process.exit(1), SHUTDOWN_LIMIT_MS).unref();
    const { service, database } = await starting;
    await service.stop();
    await database.stop();
    process.exit(code);
  };
  // A signal during the start takes effect right after it. It may arrive twice, from the terminal and from npm, so a
  // second one must not cut the shutdown short.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => end(`received ${signal}`, 0));
  const { service, database } = await starting;
  for (const { lost } of [database, service]) void lost.then((sentence) => end(sentence, 1));
  process.stdout.write(`
  ${about.name} ${about.version} is ready.
  Dashboard   ${service.url}/admin/
  API         ${service.url}/docs
  Health      ${service.url}/health/ready\n${furtherDoors(service)}${embeddedNote(config)}\n`);
}

const furtherDoors = ({ furtherDoors }: Service): string =>
  furtherDoors.map(([title, address]) => `  ${title.padEnd(11)} ${address}\n`).join('');

/** Printed when other machines can reach the service: the embedded database is for small installations only. */
function embeddedNote({ DATABASE_URL, HOST }: Config): string {
  const alone = /^(localhost|127\.[\d.]+|::1|\[::1\])$/.test(HOST);
  return DATABASE_URL || alone
    ? ''
    : '\n  The embedded PostgreSQL is for trials and small installations; see "Moving to your own PostgreSQL" in docs/operations.md.\n';
}

async function start(config: Config, log: Logger): Promise<{ service: Service; database: Database }> {
  const database = await openDatabase(config, log);
  try {
    return { database, service: await startService({ config, database, log, announcePassword }) };
  } catch (error) {
    await database.stop();
    throw error;
  }
}

function announcePassword(username: string, password: string): void {
  process.stdout.write(`
  The first administrator is ${username}, with the password ${password}
  Note it now: it is not shown again.\n`);
}

main().catch((error: unknown) => {
  const { message, stack } = error as Error;
  const detailed = /^(debug|trace)$/.test(process.env.LOG_LEVEL ?? '');
  const hint = error instanceof UnusableServer ? '' : '\n(Set LOG_LEVEL=debug for the stack trace.)';
  process.stderr.write(`${detailed ? stack : `${message}${hint}`}\n`);
  process.exit(1);
});
