import { randomUUID } from 'node:crypto';
import postgres from 'postgres';

export interface TestDatabase {
  readonly url: string;
  /** Also throws out who is still connected. */
  drop(): Promise<void>;
}

/**
 * Makes a fresh database, empty or a copy of `template`, on the PostgreSQL that the environment variable
 * TEST_DATABASE_URL leads to. Its user must be allowed to create databases.
 */
export async function createTestDatabase({ template }: { template?: string } = {}): Promise<TestDatabase> {
  const server = process.env.TEST_DATABASE_URL;
  if (!server) throw new Error('Set TEST_DATABASE_URL to a PostgreSQL whose user may create databases.');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await onServer((sql) => sql`create database ${sql(name)} template ${sql(template ?? 'template1')}`);
  const url = new URL(server);
  url.pathname = name;
  return { url: url.href, drop: () => onServer((sql) => sql`drop database if exists ${sql(name)} with (force)`) };

  async function onServer(statement: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
    const sql = postgres(server as string, { max: 1, onnotice: () => {} });
    try {
      await statement(sql);
    } finally {
      await sql.end({ timeout: 1 });
    }
  }
}
