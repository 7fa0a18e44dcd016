import postgres from 'postgres';

/** A fresh database on the server that TEST_DATABASE_URL names; answers its url. */
export async function createDatabase(): Promise<string> {
  const name = `test_${Date.now().toString(36)}_${Math.random().toString(36).slice(2, 8)}`;
  await onServer((sql) => sql.unsafe(`create database ${name}`));
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

export async function dropDatabase(url: string): Promise<void> {
  await onServer((sql) => sql.unsafe(`drop database if exists ${new URL(url).pathname.slice(1)} with (force)`));
}

async function onServer(work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(serverUrl(), { max: 1, onnotice: () => undefined });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

function serverUrl(): string {
  const server = process.env.TEST_DATABASE_URL;
  if (!server) throw new Error('TEST_DATABASE_URL names no PostgreSQL; vitest.database.ts should have seen to it.');
  return server;
}
