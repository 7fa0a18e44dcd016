import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { encodeVerifierKey } from '@verbatim/transparency';
import type { Sql } from 'postgres';
import { about, type Config } from '../../config.js';
import { nodeWarning } from '../../node-release.js';
import { connect } from '../../storage/database/pool.js';
import { LogTrees } from '../../storage/transparency/log-trees.js';
import { WitnessFile } from '../../storage/transparency/witness-file.js';

/** The result of one check: ok, something to look at, or something broken. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'look' | 'bad';
  /** What was found, without a full stop. */
  readonly says: string;
  /** What to do about it; absent if ok. */
  readonly advice?: string;
}

/** What is examined. */
export interface Patient {
  readonly config: Config;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Names of all settings, including those of doors and units. */
  readonly settings: readonly string[];
  readonly sql: Sql;
  /** Position of the last event in the event store, -1 for none; rejects if it cannot be queried. */
  readonly head: () => Promise<bigint>;
  readonly now: () => Date;
}

type Check = (patient: Patient) => Promise<Omit<Finding, 'name'>>;

/** Milliseconds that one check may take. */
const CHECK_TIMEOUT_MS = 10_000;
const MIB = 2 ** 20;
/** Write-ahead log that may be retained for a disconnected standby. */
const SLOT_BYTES = 256 * MIB;
/** Minutes for which a checkpoint may lack the cosignature of a witness. */
const WITNESS_MINUTES = 10;
/** Indexes smaller than this are not checked; larger ones may have up to this multiple of the size of their content. */
const INDEX_BYTES = 8 * MIB;
const BLOAT = 3;

/** Examines settings, servers and surroundings, one finding for each check, in this order. Changes nothing. */
export async function examine(patient: Patient): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries(checks)) findings.push({ name, ...(await inTime(check(patient))) });
  return findings;
}

const checks: Readonly<Record<string, Check>> = {
  settings: async ({ environment, settings }) => {
    const ours = /^(LIMIT|OIDC|DATABASE|VERBATIM|WEBHOOK|ADMIN|EVENT_STORE|AUDIT|MASTER_KEY|KMS|READ_MODELS)_/;
    const unknown = Object.keys(environment).filter((name) => ours.test(name) && !settings.includes(name));
    return unknown.length === 0
      ? ok('all are known and valid')
      : look(
          `${unknown.join(', ')} ${unknown.length === 1 ? 'is not a setting' : 'are not settings'}`,
          'correct the spelling (docs/operations.md lists all settings)',
        );
  },

  versions: async ({ sql, now }) => {
    const [row] = (await there(sql, 'desk.releases'))
      ? await sql<{ newest: string }[]>`select newest from desk.releases`
      : [];
    const says = `Verbatim ${about.version} on Node.js ${process.version}${row ? `, tables of ${row.newest}` : ''}`;
    const warning = nodeWarning(process.version, now());
    return warning ? look(`${says}, which no longer gets security fixes`, 'install Node.js 24') : ok(says);
  },

  database: async ({ sql }) => {
    const [row] = await sql<{ version: number; standby: boolean; used: number; most: number; unsafe: string[] }[]>`
      select current_setting('server_version_num')::int / 10000 as version, pg_is_in_recovery() as standby,
             (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as used,
             current_setting('max_connections')::int as most,
             array(select name from pg_settings where name in ('fsync', 'full_page_writes', 'synchronous_commit') and setting = 'off') as unsafe`;
    if (!row) return bad('PostgreSQL did not answer', 'see its log');
    const says = `PostgreSQL ${row.version}, ${row.used} of ${row.most} connections in use`;
    if (row.standby) return bad(`${says}, and it is a standby`, 'point DATABASE_URL to the primary');
    if (row.unsafe.length > 0) return bad(`${says}; ${row.unsafe.join(', ')} off`, 'turn it on: events could be lost');
    if (row.most - row.used < 40) return look(says, 'raise max_connections: allow 25 for each process, and 12 more');
    return row.version === 18 ? ok(says) : look(says, 'use PostgreSQL 18, which Verbatim is tested on');
  },

  replication: async ({ sql, config }) => {
    const slots = await sql<{ name: string; bytes: number }[]>`
      select slot_name as name, pg_wal_lsn_diff(pg_current_wal_flush_lsn(), restart_lsn)::float8 as bytes
        from pg_replication_slots where not active and restart_lsn is not null order by 2 desc`;
    const standbys = await sql<{ name: string; state: string | null; bytes: number | null; seconds: number | null }[]>`
      select coalesce(nullif(application_name, ''), 'a standby') as name, state,
             pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn)::float8 as bytes,
             extract(epoch from replay_lag)::float8 as seconds from pg_stat_replication order by 1`;
    const kept = slots.filter(({ bytes }) => bytes > SLOT_BYTES);
    if (kept.length > 0)
      return bad(
        kept
          .map(
            ({ name, bytes }) =>
              `nothing reads the slot ${name}, for which ${whole(bytes / MIB)} MiB of log are retained`,
          )
          .join(', '),
        'reconnect that standby, or SELECT pg_drop_replication_slot(...), before the disk is full',
      );
    const list = standbys.map(({ name, state, bytes, seconds }) =>
      state === null
        ? `${name} (this user may not see more)`
        : `${name} ${state}, ${whole((bytes ?? 0) / 1_024)} KiB and ${(seconds ?? 0).toFixed(1)} s behind`,
    );
    const behind = standbys.some(({ seconds, bytes }) => (seconds ?? 0) > 10 || (bytes ?? 0) > 256 * MIB);
    const reads = config.DATABASE_READ_URL === undefined ? null : await replicaForReads(sql, config.DATABASE_READ_URL);
    const says = [...list, ...(reads ? [reads.says] : [])].join('; ') || 'no standby is connected';
    if (reads && !reads.usable)
      return bad(
        says,
        'point DATABASE_READ_URL to a standby of this database; until then lists are read from the primary',
      );
    return behind ? look(says, 'check the network to it, its disk, and long queries on it') : ok(says);
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
      'run this again: the lag has to shrink while a process runs; if not, see its log',
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
    const bloated = await bloatedIndexes(sql);
    if (bloated.length > 0)
      return look(
        bloated
          .map(
            ({ name, bytes, times }) =>
              `${name} takes ${whole(bytes / MIB)} MiB, ${whole(times)} times what its rows need`,
          )
          .join(', '),
        'run REINDEX INDEX CONCURRENTLY on each when there is little load',
      );
    const [trigrams] = await sql`select from pg_extension where extname = 'pg_trgm'`;
    return trigrams
      ? ok('all are valid, and none is much larger than its rows')
      : look(
          'pg_trgm is missing, so searching for parts of names scans whole tables',
          'CREATE EXTENSION pg_trgm, then npm run cli -- projections rebuild',
        );
  },

  witnesses: async ({ sql, config }) => {
    if (config.AUDIT_LOG === 'off') return ok('the transparency log is off');
    const trees = new LogTrees(sql);
    const tree = (await there(sql, 'desk.log_trees')) ? await trees.newest() : null;
    if (!tree) return look('nothing is signed yet', 'start the service, which signs');
    if (tree.halted !== null)
      return bad(
        `nothing is signed: ${tree.halted.replace(/\.$/, '')}`,
        'see "The transparency log" in docs/operations.md',
      );
    const unwritable = await reasonAgainstFile(config.AUDIT_WITNESS_FILE);
    if (unwritable) return bad(unwritable, 'make AUDIT_WITNESS_FILE writable, or nothing is signed');
    const keys = config.AUDIT_WITNESSES.map(({ key }) => encodeVerifierKey(key));
    const cosigned = await trees.cosigned(tree.number, keys);
    const late: string[] = [];
    for (const { key } of config.AUDIT_WITNESSES) {
      const last = cosigned.get(encodeVerifierKey(key));
      const [row] = await sql<{ minutes: number | null }[]>`
        select extract(epoch from now() - min(begun_at))::float8 / 60 as minutes from desk.log_checkpoints
         where tree = ${tree.number} and size > ${last?.size ?? -1}`;
      if (!last) late.push(`${key.name} has never cosigned`);
      else if ((row?.minutes ?? 0) > WITNESS_MINUTES)
        late.push(`${key.name} has cosigned nothing for ${whole(row?.minutes ?? 0)} minutes`);
    }
    const advice =
      'check whether its address can be reached from here, and whether it has the key of this log (npm run cli -- audit keys)';
    if (tree.belowQuorumSince !== null)
      return bad(
        [`checkpoints have lacked their quorum since ${tree.belowQuorumSince.toISOString()}`, ...late].join('; '),
        advice,
      );
    const covered = `${tree.size.toLocaleString('en')} events are signed`;
    if (late.length > 0) return look(`${covered}; ${late.join(', ')}`, advice);
    return ok(
      keys.length === 0 ? `${covered}; no witnesses are set` : `${covered}, and all ${keys.length} witnesses cosign`,
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
    if (free < 256) return bad(says, 'free space');
    return free < 2_048 || share < 0.05 ? look(says, 'free space before it is full') : ok(says);
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

/** Whether the database of DATABASE_READ_URL can serve reads, and how far it is behind. */
async function replicaForReads(primary: Sql, url: string): Promise<{ says: string; usable: boolean }> {
  const [at] = await primary<{ lsn: string; cluster: string }[]>`
    select pg_current_wal_flush_lsn()::text as lsn, (select system_identifier::text from pg_control_system()) as cluster`;
  const replica = connect(url);
  try {
    const [row] = await replica<{ standby: boolean; cluster: string; bytes: number | null }[]>`
      select pg_is_in_recovery() as standby, (select system_identifier::text from pg_control_system()) as cluster,
             pg_wal_lsn_diff(${at?.lsn ?? ''}::text::pg_lsn, pg_last_wal_replay_lsn())::float8 as bytes`;
    const usable = row?.standby === true && row.cluster === at?.cluster;
    const behind = whole(Math.max(0, row?.bytes ?? 0) / 1_024);
    return {
      says: usable
        ? `the replica for lists is ${behind} KiB behind`
        : 'DATABASE_READ_URL does not point to a standby of this database',
      usable,
    };
  } catch (error) {
    return {
      says: `the replica for lists cannot be queried: ${(error as Error).message.replace(/\.$/, '')}`,
      usable: false,
    };
  } finally {
    await replica.end({ timeout: 1 });
  }
}

/** Large B-trees that take a multiple of what their rows need, according to planner statistics. */
const bloatedIndexes = (sql: Sql) => sql<{ name: string; bytes: number; times: number }[]>`
  with sized as (
    select i.indexrelid::regclass::text as name, pg_relation_size(i.indexrelid)::float8 as bytes,
           -- A row of an index takes its columns, eight bytes of head and four of place; pages are filled to nine tenths.
           (select sum(s.avg_width) + 12 from pg_attribute a
              join pg_stats s on s.schemaname = n.nspname and s.tablename = t.relname and s.attname = a.attname
             where a.attrelid = i.indrelid and a.attnum = any(i.indkey)) * greatest(c.reltuples, 1) / 0.9 as needed
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am m on m.oid = c.relam
      join pg_class t on t.oid = i.indrelid join pg_namespace n on n.oid = t.relnamespace
     where m.amname = 'btree' and 0 <> all(i.indkey) and c.reltuples >= 0
       and (n.nspname in ('log', 'vault', 'desk', 'cache') or n.nspname ~ '^read_[0-9]+$'))
  select name, bytes, bytes / greatest(needed, 8192) as times from sized
   where bytes > ${INDEX_BYTES} and bytes > ${BLOAT} * greatest(needed, 8192) order by bytes desc limit 10`;

async function reasonAgainstFile(path: string | undefined): Promise<string | null> {
  if (path === undefined) return null;
  const file = await new WitnessFile(path).file();
  const writable = (place: string) =>
    access(place, constants.W_OK).then(
      () => true,
      () => false,
    );
  return (await writable(file)) || (await writable(dirname(file))) ? null : `${file} cannot be written`;
}

const ok = (says: string) => ({ state: 'ok', says }) as const;
const look = (says: string, advice: string) => ({ state: 'look', says, advice }) as const;
const bad = (says: string, advice: string) => ({ state: 'bad', says, advice }) as const;

const whole = (number: number): string => Math.round(number).toLocaleString('en');

async function there(sql: Sql, table: string): Promise<boolean> {
  const [row] = await sql<{ there: boolean }[]>`select to_regclass(${table}) is not null as there`;
  return row?.there ?? false;
}

/** A check that fails is a finding too. */
async function inTime(check: ReturnType<Check>): Promise<Omit<Finding, 'name'>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_TIMEOUT_MS / 1_000} s`)), CHECK_TIMEOUT_MS);
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
  /** When the certificate expires; null if it could not be fetched, for this reason. */
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
