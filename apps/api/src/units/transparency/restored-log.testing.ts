import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import postgres from 'postgres';
import { readConfig } from '../../config.js';
import { createDatabase, dropDatabase } from '../../tests/harness/database.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import type { CliCommand } from '../../tools/command.js';
import { openTools, type Tools } from '../../tools/tools.js';

/** A database of a service that can be restored to an earlier state while the service is stopped. */
export class RestorableDatabase {
  private readonly master = randomBytes(32).toString('base64');
  private backupUrl: string | null = null;

  private constructor(readonly url: string) {}

  static async create(): Promise<RestorableDatabase> {
    return new RestorableDatabase(await createDatabase());
  }

  start(environment: Record<string, string>): Promise<TestService> {
    return startTestService({ databaseUrl: this.url, environment: { MASTER_KEY: this.master, ...environment } });
  }

  async backUp(): Promise<void> {
    this.backupUrl = await createDatabase();
    await dropDatabase(this.backupUrl);
    await copy(this.url, this.backupUrl);
  }

  async restore(): Promise<void> {
    if (!this.backupUrl) throw new Error('There is no backup.');
    await dropDatabase(this.url);
    await copy(this.backupUrl, this.url);
  }

  /** The result of a query, as JSON. */
  async ask(query: string): Promise<Record<string, string>[]> {
    const sql = postgres(this.url, { max: 1, onnotice: () => undefined });
    try {
      return [...(await sql.unsafe<Record<string, string>[]>(query))];
    } finally {
      await sql.end();
    }
  }

  /** Runs a CLI command on it; returns the exit code. */
  async command(command: CliCommand, args: readonly string[], environment: Record<string, string>): Promise<number> {
    const config = readConfig({ MASTER_KEY: this.master, ...environment });
    const log = pino({ level: 'silent' });
    const database = {
      url: this.url,
      directUrl: this.url,
      lost: new Promise<never>(() => undefined),
      stop: async () => {},
    };
    let tools: Tools | undefined;
    try {
      return await command.run(args, {
        ...{ config, log, database: async () => database },
        tools: async () => (tools = await openTools({ config, log, database })),
      });
    } finally {
      await tools?.close();
    }
  }

  async remove(): Promise<void> {
    await dropDatabase(this.url);
    if (this.backupUrl) await dropDatabase(this.backupUrl);
  }
}

const nameOf = (url: string): string => new URL(url).pathname.slice(1);

async function copy(from: string, to: string): Promise<void> {
  const server = new URL(from);
  server.pathname = '/postgres';
  const sql = postgres(server.href, { max: 1, onnotice: () => undefined });
  await sql.unsafe(`create database ${nameOf(to)} template ${nameOf(from)}`);
  await sql.end();
}
