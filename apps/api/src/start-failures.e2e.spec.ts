import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testCertificates } from '../../../libs/event-store/src/certificates.testing.js';
import { StandIn } from '../../../libs/event-store/src/kurrentdb/stand-in.testing.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './storage/embedded-postgres/embedded-postgres.js';
import { createDatabase, dropDatabase } from './tests/harness/database.testing.js';
import { freePort } from './tests/harness/free-port.testing.js';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const password = 'hard/to:guess@100%';
const encoded = encodeURIComponent(password);

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'verbatim-start-'));
  writeFileSync(join(folder, 'ca.pem'), testCertificates.authority);
  writeFileSync(join(folder, 'server.crt'), testCertificates.certificate);
  writeFileSync(join(folder, 'server.key'), testCertificates.key, { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts the service, which must exit on its own; returns the exit code and all its output. */
async function start(environment: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const env = {
    ...process.env,
    PORT: '0',
    ADMIN_PASSWORD: 'administrator',
    VERBATIM_DATA: join(folder, 'data'),
    ...environment,
  };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      said += chunk;
    });
  const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearTimeout(late);
  return { code, said };
}

/** It exits with one message that names the server and a remedy, without the password and without a stack trace. */
async function expectRefusal(
  environment: Record<string, string>,
  ...parts: readonly (string | RegExp)[]
): Promise<void> {
  const { code, said } = await start(environment);
  for (const part of parts) expect(said).toMatch(part);
  expect(said).toMatch(/Tried: .*\n.*What to do: /);
  expect(said).not.toContain(password);
  expect(said).not.toContain(encoded);
  expect(said).not.toMatch(/^ +at /m);
  expect(said.match(/cannot be used/g)).toHaveLength(1);
  expect(code).toBe(1);
}

describe('the service does not start on a PostgreSQL', () => {
  let database: EmbeddedPostgres;
  let sql: Sql;
  let place: string;

  beforeAll(async () => {
    const settings = { ssl: 'on', ssl_cert_file: join(folder, 'server.crt'), ssl_key_file: join(folder, 'server.key') };
    database = await startEmbeddedPostgres(join(folder, 'database'), { settings });
    sql = postgres(database.url, { max: 1, onnotice: () => undefined });
    place = new URL(database.url).host;
    await sql.unsafe(`create role ops login password '${password}'`);
    await sql.unsafe('create database theirs');
  }, 120_000);
  afterAll(async () => {
    await sql.end();
    await database.stop();
  });

  it('that is not running', async () => {
    const port = await freePort();
    const DATABASE_URL = `postgres://ops:${encoded}@127.0.0.1:${port}/theirs`;
    await expectRefusal(
      { DATABASE_URL },
      `PostgreSQL at 127.0.0.1:${port} cannot be used: connection refused`,
      'start PostgreSQL',
    );
  });

  it('on an unknown host', async () => {
    const DATABASE_URL = `postgres://ops:${encoded}@no-such-host.invalid/theirs`;
    await expectRefusal(
      { DATABASE_URL },
      /PostgreSQL at no-such-host\.invalid:5432 cannot be used: the name of the host/,
    );
  });

  it('that is something else', async () => {
    const web = createServer((socket) => socket.on('error', () => undefined).end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const { port } = web.address() as { port: number };
    await expectRefusal({ DATABASE_URL: `postgres://ops:${encoded}@127.0.0.1:${port}/theirs` }, 'is not PostgreSQL');
    web.close();
  });

  it('with a wrong password', async () => {
    const DATABASE_URL = `postgres://ops:wrong@${place}/theirs`;
    await expectRefusal(
      { DATABASE_URL },
      `PostgreSQL at ${place}`,
      'password authentication failed',
      'correct user and password in DATABASE_URL',
    );
  });

  it('whose database does not exist', async () => {
    const DATABASE_URL = `postgres://ops:${encoded}@${place}/nowhere`;
    await expectRefusal({ DATABASE_URL }, 'database "nowhere" does not exist', 'CREATE DATABASE "nowhere"');
  });

  it('in which it may create nothing', async () => {
    const DATABASE_URL = `postgres://ops:${encoded}@${place}/theirs`;
    await expectRefusal(
      { DATABASE_URL },
      'permission denied for database theirs',
      'GRANT CREATE ON DATABASE "theirs"',
      'as "ops"',
    );
  });

  it('with an untrusted certificate', async () => {
    const DATABASE_URL = `postgres://ops:${encoded}@${place}/theirs?sslmode=verify-full`;
    await expectRefusal({ DATABASE_URL }, 'its certificate is not trusted', 'NODE_EXTRA_CA_CERTS', 'with TLS');
  });

  it('without TLS support, if TLS is required', async () => {
    await sql`alter system set ssl = off`;
    await sql`select pg_reload_conf()`;
    await new Promise((resolve) => setTimeout(resolve, 500));
    const plain = await startEmbeddedPostgres(join(folder, 'plain'));
    const url = new URL(plain.url);
    await expectRefusal(
      { DATABASE_URL: `${plain.url}?sslmode=require` },
      `PostgreSQL at ${url.host}`,
      'it does not support TLS',
      'remove sslmode from DATABASE_URL',
    );
    await plain.stop();
  }, 120_000);

  it('with a URL of another kind, and does not print its password', async () => {
    const { code, said } = await start({ DATABASE_URL: `mysql://ops:${encoded}@${place}/theirs` });
    expect(said).toMatch(/DATABASE_URL must be a URL postgres:\/\//);
    expect(said).not.toContain(encoded);
    expect(code).toBe(1);
  });
});

/** Each starts the service once, so by default only some of them run. */
const passwordsInUrls =
  process.env.LONG === '1'
    ? ['p@ss', 'p%40ss', 'p%ss', 'p+w', 'pü', 'a:b', '密码🔑', `q'"x`]
    : ['p%40ss', '密码🔑', `q'"x`];

it.each(passwordsInUrls)('the service uses the PostgreSQL password %s as written in the URL', async (written) => {
  const url = await createDatabase();
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const meant = written === 'p%40ss' ? 'p@ss' : written;
  const name = `user_${Math.random().toString(36).slice(2)}`;
  await sql.unsafe(`create role ${name} login password '${meant.replaceAll("'", "''")}'`);
  const { hostname, port, pathname } = new URL(url);
  const wrong = await start({ DATABASE_URL: `postgres://${name}:${written}@${hostname}:${port}${pathname}` });
  // It signed in, but has no further permissions.
  expect(wrong.said).toContain(`permission denied for database ${pathname.slice(1)}`);
  await sql.unsafe(`drop role ${name}`);
  await sql.end();
  await dropDatabase(url);
});

describe('the service does not start on a KurrentDB', () => {
  let url: string;
  let secure: StandIn;
  let insecure: StandIn;

  beforeAll(async () => {
    url = await createDatabase();
    const users = { ops: { password, admin: false }, admin: { password, admin: true } };
    secure = await StandIn.start({ tls: true, users });
    insecure = await StandIn.start();
  });
  afterAll(async () => {
    secure.stop();
    insecure.stop();
    await dropDatabase(url);
  });

  const refused = (store: string, ...parts: (string | RegExp)[]) =>
    expectRefusal({ DATABASE_URL: url, EVENT_STORE_URL: store }, ...parts);
  const ca = () => `tlsCaFile=${join(folder, 'ca.pem')}`;

  it('that is not running', async () => {
    const port = await freePort();
    await refused(
      `kurrentdb://ops:${encoded}@127.0.0.1:${port}?tls=false`,
      `KurrentDB at 127.0.0.1:${port} cannot be used: connection refused`,
      'start KurrentDB',
    );
  });

  it('with an untrusted certificate', async () => {
    await refused(
      `kurrentdb://admin:${encoded}@127.0.0.1:${secure.port}`,
      'its certificate is not trusted',
      'tlsCaFile in EVENT_STORE_URL',
    );
  });

  it('without TLS', async () => {
    await refused(`kurrentdb://admin:${encoded}@127.0.0.1:${insecure.port}`, 'it does not speak TLS', 'tls=false');
  });

  it('with TLS only', async () => {
    await refused(
      `kurrentdb://admin:${encoded}@127.0.0.1:${secure.port}?tls=false`,
      'it speaks TLS only',
      'remove tls=false from',
    );
  });

  it('with a wrong password', async () => {
    await refused(
      `kurrentdb://admin:wrong@127.0.0.1:${secure.port}?${ca()}`,
      'user or password are wrong',
      'as "admin"',
    );
  });

  it('without credentials', async () => {
    await refused(`kurrentdb://127.0.0.1:${secure.port}?${ca()}`, 'it wants to know who we are', 'without a user');
  });

  it('as a user who is not in $admins', async () => {
    await refused(
      `kurrentdb://ops:${encoded}@127.0.0.1:${secure.port}?${ca()}`,
      'the user "ops" may not read $all',
      'make the user a member of the group $admins',
    );
  });

  it('with an option that its client would print the whole URL for', async () => {
    const store = `kurrentdb://admin:${encoded}@127.0.0.1:${insecure.port}?tls=false&poolSize=3`;
    const { code, said } = await start({ DATABASE_URL: url, EVENT_STORE_URL: store });
    expect(said).toContain('Take poolSize out of the connection string');
    expect(said).not.toContain(encoded);
    expect(code).toBe(1);
  });
});
