import { parseArgs } from 'node:util';
import { ChainCheck, type EventStore, eventsOf, type KeyRing } from '@verbatim/event-store';
import { isFault, parseVerifierKey, type VerifierKey } from '@verbatim/transparency';
import type { Sql } from 'postgres';
import { connect } from '../../storage/database/pool.js';
import { LogKeys } from '../../storage/transparency/log-keys.js';
import { type LogTree, LogTrees } from '../../storage/transparency/log-trees.js';
import { WitnessFile } from '../../storage/transparency/witness-file.js';
import { type CliCommand, type Surroundings, UsageError } from '../command.js';
import { progressDisplay } from '../progress.js';
import { foundBy, number } from './broken-places.js';
import { CannotCheck, type KeptCheckpoint, keptCheckpoints, ownCheckpoints } from './kept-checkpoints.js';
import { aboutNames, openNamedLog, ownLog } from './named-log.js';
import { type StoredTree, storedTree, TreeCheck } from './tree-check.js';

/** Events between two reports of progress. */
const REPORT_EVERY = 500;

/** `npm run cli -- log verify` */
export const verifyCommand: CliCommand = {
  summary: 'checks that nothing in the log was changed',
  help: `Usage: npm run cli -- log verify [--url <log>] [--key <verifier key>]... [--checkpoint <file>]...

Reads a whole log and checks

- each stream: every event matches its hash, contains the hash of the event before it, and is stored under its own stream,
  revision, id and type; no revision is missing; no id occurs twice;
- the transparency log, if the database of the log has one: the tree is built again from the texts of all events, and
  compared with the entries, tiles and checkpoints that are stored, and all signatures are verified;
- checkpoints that somebody kept: each must be signed, and the log must still begin with what it covers.

It only reads, needs no secret key, and works beside a running service or on its own.

  --url <log>           the log; default: that of the service
  --key <verifier key>  a key of the log that is trusted, as GET /audit/log/keys once answered it; may be given several times.
                        Without, the keys in the database are used, which proves nothing against whoever can change that
  --checkpoint <file>   a checkpoint that was kept, or many in one file, such as AUDIT_WITNESS_FILE, which is used by itself for
                        the log of the service; may be given several times

${aboutNames}

Only a checkpoint and keys from outside show that a whole log was replaced or put back. Each finding names the stream and
revision or the ordinal in the log: the exact one where the stored entries show it, otherwise the span between the last
checkpoint that fits and the first that does not. Ids are compared with those of at least the last 250,000 events. Memory:
about 300 bytes for each stream.

Exit codes: 0 when everything is intact; 1 when something is wrong, and where; 2 when the command was called wrongly; 3
when it could not be checked, such as a log that cannot be read.`,

  async run(args, surroundings) {
    const options = readOptions(args);
    try {
      return await verify(options, surroundings);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      // Nothing was found out, so this must not look like a finding.
      process.stderr.write(`${sentenceOf(error)}\n`);
      return 3;
    }
  },
};

interface Options {
  readonly url: string | undefined;
  readonly keys: readonly VerifierKey[];
  readonly files: readonly string[];
}

async function verify({ url, keys, files }: Options, surroundings: Surroundings): Promise<number> {
  const kept = (await Promise.all(files.map(keptCheckpoints))).flat();
  const store = await openNamedLog(url ?? ownLog(surroundings), surroundings);
  const closing: (() => Promise<unknown>)[] = [() => store.close()];
  try {
    const database = await databaseOf(url, surroundings);
    const sql = database === null ? null : connect(database);
    if (sql) closing.push(() => sql.end({ timeout: 5 }));
    const tables = sql && (await hasTrees(sql)) ? sql : null;
    const stored = tables && (await storedTree(new LogTrees(tables)));
    const known = tables && keys.length === 0 ? await keysIn(tables) : keys;
    const outside = url === undefined ? await keptBySetting(surroundings, stored?.tree ?? null) : [];
    const check = new TreeCheck({ stored, kept: [...kept, ...outside], keys: known });
    const chains = await walk(store, check);
    return report(chains, check, { stored, ownKeys: keys.length === 0, kept: kept.length + outside.length, url });
  } finally {
    for (const close of closing.reverse()) await close();
  }
}

async function walk(store: EventStore, tree: TreeCheck): Promise<ChainCheck> {
  const progress = progressDisplay();
  try {
    const total = Number(await store.head()) + 1;
    const chains = new ChainCheck();
    for await (const event of eventsOf(store)) {
      chains.add(event);
      await tree.add(event);
      if (chains.events % REPORT_EVERY !== 0) continue;
      const done = Number(event.position) + 1;
      progress.show({ phase: 'checking', done, total: Math.max(done, total), note: `${number(chains.events)} events` });
    }
    await tree.end();
    return chains;
  } finally {
    progress.end();
  }
}

interface Checked {
  readonly stored: StoredTree | null;
  readonly ownKeys: boolean;
  readonly kept: number;
  readonly url: string | undefined;
}

function report(chains: ChainCheck, tree: TreeCheck, checked: Checked): number {
  const { stored, ownKeys, kept, url } = checked;
  const unchecked = [...(isTreeMissing(checked) ? [MISSING] : []), ...tree.unchecked];
  process.stdout.write(foundBy(chains));
  for (const sentence of tree.findings) process.stdout.write(`${sentence}\n`);
  if (stored || kept > 0) process.stdout.write(summary(tree, stored, kept));
  if (stored && ownKeys)
    process.stdout.write(
      'The keys are those of the database that was checked. Give those that you have kept with --key to rule out that it was replaced as a whole.\n',
    );
  else if (!stored && url === undefined && unchecked.length === 0)
    process.stdout.write('There is no transparency log in this database yet.\n');
  for (const sentence of unchecked) process.stderr.write(`${sentence}\n`);
  if (chains.broken.length > 0 || tree.findings.length > 0) return 1;
  return unchecked.length > 0 ? 3 : 0;
}

const MISSING = 'The database of this log has no transparency log, although there are keys or checkpoints of one.';

/** A log that was copied has no tree of its own, and can be compared with kept checkpoints all the same. */
const isTreeMissing = ({ stored, ownKeys, kept, url }: Checked): boolean =>
  !stored && (url === undefined ? !ownKeys || kept > 0 : !ownKeys && kept === 0);

function summary(tree: TreeCheck, stored: Checked['stored'], kept: number): string {
  const what = [
    ...(stored ? [`the tree ${stored.tree.origin} of ${number(stored.tree.size)} entries`] : []),
    ...(kept > 0 ? [`${number(kept)} kept ${kept === 1 ? 'checkpoint' : 'checkpoints'}`] : []),
  ].join(' and ');
  const wrong = tree.findings.length === 0 ? 'Nothing else was signed.' : 'The log is not what was signed.';
  return `The log was compared with ${what}. ${wrong} ${number(tree.uncovered)} events are not covered yet.\n`;
}

/** The database that holds the tree of a log: that of the service or, for a log in PostgreSQL, the one it is in. */
async function databaseOf(url: string | undefined, { database }: Surroundings): Promise<string | null> {
  if (url === undefined || url === 'database') return (await database()).directUrl;
  return /^postgres(ql)?:/.test(url) ? url : null;
}

const hasTrees = async (sql: Sql): Promise<boolean> => {
  const [row] = await sql<{ there: boolean }[]>`
    select to_regclass('desk.log_trees') is not null and to_regclass('vault.log_keys') is not null as there`;
  return row?.there ?? false;
};

const keysIn = async (sql: Sql): Promise<VerifierKey[]> =>
  (await new LogKeys(sql, noRing).published()).map(({ key }) => key);

/** Public keys need no ring. */
const noRing: KeyRing = {
  obtain: async () => new Map(),
  find: async () => new Map(),
  spare: async () => ({ events: new Map(), retired: new Map() }),
  forget: () => undefined,
};

/** After a new tree was begun, the file also has checkpoints of the one before, with which the log does not agree any more. */
async function keptBySetting(
  { config: { AUDIT_WITNESS_FILE: path } }: Surroundings,
  tree: LogTree | null,
): Promise<KeptCheckpoint[]> {
  const kept = path === undefined ? [] : await ownCheckpoints(new WitnessFile(path));
  const newest = kept.at(-1);
  if (newest && tree?.number === 1 && newest.origin !== tree.origin)
    throw new CannotCheck(
      `The checkpoints in AUDIT_WITNESS_FILE are of the log ${newest.origin}, and the database has a log ${tree.origin}.`,
    );
  const origin = tree?.origin ?? newest?.origin;
  return kept.filter((checkpoint) => checkpoint.origin === origin);
}

function readOptions(args: readonly string[]): Options {
  const { url, key = [], checkpoint = [] } = parse(args);
  const keys = key.map((text) => {
    const parsed = parseVerifierKey(text);
    if (isFault(parsed)) throw new UsageError(`--key cannot be read. ${parsed.detail}`);
    return parsed;
  });
  return { url, keys, files: checkpoint };
}

function parse(args: readonly string[]) {
  const options = {
    url: { type: 'string' },
    key: { type: 'string', multiple: true },
    checkpoint: { type: 'string', multiple: true },
  } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

function sentenceOf(error: unknown): string {
  if (error instanceof CannotCheck) return error.message;
  const { message, stack } = error instanceof AggregateError ? error.errors[0] : (error as Error);
  return error instanceof TypeError || error instanceof RangeError ? (stack ?? message) : message || String(error);
}
