import { statfs } from 'node:fs/promises';
import { connect as connectTls } from 'node:tls';
import type { Sql } from 'postgres';
import { about, type Config } from '../../config.js';
import { nodeWarning } from '../../node-release.js';

/** What one check has found: all is well, something to look at, or something that is broken. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'look' | 'bad';
  /** What was found, without a full stop. */
  readonly says: string;
  /** What to do about it; absent when all is well. */
  readonly advice?: string;
}

/** What is examined. */
export interface Patient {
  readonly config: Config;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Names of all settings, those of doors and units included. */
  readonly settings: readonly string[];
  readonly sql: Sql;
  /** Position of the last event in the event store, -1 for none; rejects if it cannot be asked. */
  readonly head: () => Promise<bigint>;
  readonly now: () => Date;
}

type Check = (patient: Patient) => Promise<Omit<Finding, 'name'>>;

/** Milliseconds that one check may take. */
const PATIENCE_MS = 10_000;
const MIB = 2 ** 20;

/** Examines settings, servers and surroundings, one finding for each check, in this order. Changes nothing. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(checks)) findings.push({ name, ...(await inTime(check(patient))) });
  return findings;
}

const checks: Readonly<Record<string, Check>> = {
  settings: async ({ environment, settings }) => {
    const ours = /^(LIMIT|OIDC|DATABASE|VERBATIM|WEBHOOK|ADMIN|EVENT_STORE|MASTER_KEY|KMS|READ_MODELS)_/;
    const unknown = Object.keys(environment).filter((name) => ours.test(name) && !settings.includes(name));
    return unknown.length === 0
      ? ok('all are known and valid')
      : look(
          `${unknown.join(', ')} ${unknown.length === 1 ? 'is no setting' : 'are no settings'}`,
          'correct the spelling (docs/operations.md lists all settings)',
        );
  },

  versions: async ({ sql, now }) => {
    const [row] = (await there(sql, 'desk.releases'))
      ? await sql<{ newest: string }[]>`select newest from desk.releases`
      : [];
    const says = `Verbatim ${about.version} on Node.js ${process.version}${row ? `, tables of ${row.newest}` : ''}`;
    const warning = nodeWarning(process.version, now());
    return warning ? look(`${says}, which gets no more security fixes`, 'install Node.js 24') : ok(says);
  },

  database: async ({ sql }) => {
    const [row] = await sql<{ version: number; standby: boolean; used: number; most: number; unsafe: string[] }[]>`
      select current_setting('server_version_num')::int / 10000 as version, pg_is_in_recovery() as standby,
             (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
             current_setting('max_connections')::int as most,
             array(select name from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off') as unsafe`;
    if (!row) return bad('PostgreSQL did not answer', 'see its log');
    const says = `PostgreSQL ${row.version}, ${row.used} of ${row.most} connections in use`;
    if (row.standby) return bad(`${says}, and it is a standby`, 'let DATABASE_URL lead to the primary');
    if (row.unsafe.length > 0) return bad(`${says}; ${row.unsafe.join(', ')} off`, 'turn it on: events could be lost');
    if (row.most - row.used < 40) return look(says, 'raise max_connections: allow 25 for each process, and 12 more');
    return row.version === 18 ? ok(says) : look(says, 'use PostgreSQL 18, which Verbatim is tested on');
  },

  'event store': async ({ config, head }) => {
    const kind = /^kurrentdb/.test(config.EVENT_STORE_URL ?? '') ? 'KurrentDB' : 'PostgreSQL';
    return ok(`${kind}, the log ends at position ${await head()}`);
  },

  'read models': async ({ sql, head }) => {
    const [live] = (await there(sql, 'desk.read_schemas'))
      ? await sql<{ schema: string }[]>`select 'read_' || n as schema from desk.read_schemas where state = 'live'`
      : [];
    if (!live) return look('there are none yet', 'start the service, which builds them');
    const rows = await sql<{ name: string; position: string }[]>`
      select projection as name, position::text from ${sql(live.schema)}.checkpoints order by 1`;
    const end = await head();
    const behind = rows.filter(({ position }) => BigInt(position) < end);
    if (behind.length === 0) return ok(`${live.schema} shows the whole log`);
    const lags = behind.map(({ name, position }) => `${name} is ${end - BigInt(position)} positions behind`);
    return look(
      `${live.schema}: ${lags.join(', ')}`,
      'ask again: it has to shrink while a process runs; else see its log',
    );
  },

  indexes: async ({ sql }) => {
    const invalid = await sql<{ name: string }[]>`
      select indexrelid::regclass::text as name from pg_index where not indisvalid and indrelid in (
        select c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('log', 'vault', 'desk', 'cache') or n.nspname ~ '^read_[0-9]+$')`;
    if (invalid.length > 0)
      return bad(
        `${invalid.map(({ name }) => name).join(', ')} invalid`,
        'run REINDEX INDEX on each; below read_<n>: npm run cli -- projections rebuild',
      );
    const [trigrams] = await sql`select from pg_extension where extname = 'pg_trgm'`;
    return trigrams
      ? ok('all are valid')
      : look(
          'pg_trgm is missing, so looking for parts of names reads whole tables',
          'CREATE EXTENSION pg_trgm, then npm run cli -- projections rebuild',
        );
  },

  clock: async ({ sql, now }) => {
    const asked = now().getTime();
    const [row] = await sql<{ ms: number }[]>`select extract(epoch from clock_timestamp())::float8 * 1000 as ms`;
    const apart = Math.abs((row?.ms ?? 0) - (asked + now().getTime()) / 2);
    const says = `${(apart / 1_000).toFixed(3)} s apart from that of the database`;
    return apart < 1_000 ? ok(says) : bad(says, 'synchronize both machines (chrony, systemd-timesyncd)');
  },

  disk: async ({ config, sql }) => {
    const { bavail, blocks, bsize } = await statfs(config.VERBATIM_DATA).catch(() => statfs('.'));
    const [free, share] = [(bavail * bsize) / MIB, bavail / blocks];
    const [row] = await sql<{ bytes: number }[]>`select pg_database_size(current_database())::float8 as bytes`;
    const says = `${whole(free)} MiB free at the data folder; the database has ${whole((row?.bytes ?? 0) / MIB)} MiB`;
    if (free < 256) return bad(says, 'make room');
    return free < 2_048 || share < 0.05 ? look(says, 'make room before it is full') : ok(says);
  },

  certificates: async ({ config, now }) => {
    const urls = [config.OIDC_ISSUER, config.OIDC_REDIRECT_URI, ...config.ALLOWED_ORIGINS].filter((url) =>
      url?.startsWith('https:'),
    );
    if (urls.length === 0) return ok('no setting names an address with TLS');
    const ends = await Promise.all([...new Set(urls.map((url) => new URL(`${url}`).host))].map(certificateEnd));
    const soon = ends.filter(({ end }) => end === null || end.getTime() - now().getTime() < 21 * 86_400_000);
    if (soon.length === 0) return ok(`${ends.length} are good for three weeks or more`);
    const list = soon.map(({ host, end, reason }) =>
      end ? `${host} until ${end.toISOString().slice(0, 10)}` : `${host}: ${reason}`,
    );
    return look(list.join(', '), 'renew the certificate, or correct the address');
  },
};

const ok = (says: string) => ({ state: 'ok', says }) as const;
const look = (says: string, advice: string) => ({ state: 'look', says, advice }) as const;
const bad = (says: string, advice: string) => ({ state: 'bad', says, advice }) as const;

const whole = (number: number): string => Math.round(number).toLocaleString('en');

async function there(sql: Sql, table: string): Promise<boolean> {
  const [row] = await sql<{ there: boolean }[]>`select to_regclass(${table}) is not null as there`;
  return row?.there ?? false;
}

/** That a check cannot be made is a finding as well. */
async function inTime(check: ReturnType<Check>): Promise<Omit<Finding, 'name'>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS / 1_000} s`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([check, late]);
  } catch (error) {
    return bad((error as Error).message.replace(/\.$/, ''), 'see the log of that server');
  } finally {
    clearTimeout(timer);
  }
}

interface CertificateEnd {
  readonly host: string;
  /** When the certificate ends; null: it could not be had, and why. */
  readonly end: Date | null;
  readonly reason?: string;
}

function certificateEnd(host: string): Promise<CertificateEnd> {
  const { hostname, port } = new URL(`https://${host}`);
  return new Promise((resolve) => {
    const socket = connectTls({ host: hostname, port: Number(port || 443), servername: hostname }, () => {
      resolve({ host, end: new Date(socket.getPeerCertificate().valid_to) });
      socket.destroy();
    });
    const fail = (reason: string) => {
      resolve({ host, end: null, reason });
      socket.destroy();
    };
    socket.setTimeout(5_000, () => fail('no answer'));
    socket.on('error', ({ message }) => fail(message));
  });
}
