import { parseArgs } from 'node:util';
import { openEventStore, PostgresKeyRing, Sealer } from '@verbatim/event-store';
import { rebuild } from '@verbatim/projections';
import type { Sql } from 'postgres';
import { connect } from '../../storage/database/pool.js';
import { textsOf } from '../../storage/texts-of-read-models.js';
import { masterKeys } from '../../storage/vault/master-key.js';
import { migrateVault } from '../../storage/vault/schema.js';
import { type CliCommand, type Surroundings, UsageError } from '../command.js';
import { number } from '../log/broken-places.js';
import { plainly } from '../log/named-log.js';
import { progressDisplay } from '../progress.js';
import { type SeedParts, type SeedReport, seed } from './seed.js';
import type { SeedOptions } from './seed-plan.js';

/** The maximum of each: what a year and the memory of one process can hold. */
const most = { users: 1_000_000, rooms: 100_000, messages: 20_000_000 } as const;

/** `npm run cli -- seed` */
export const seedCommand: CliCommand = {
  summary: 'fills a new service with made-up people, rooms and messages',
  help: `Usage: npm run cli -- seed --users <n> --rooms <n> --messages <n> [--seed <n>] [--until YYYY-MM-DD]

Fills a service that was started once and has no account but the first administrator's with made-up people, rooms and
messages of one year, for trying it out and measuring its speed with much data. Nothing else is made up: events are
decided by the same rules, sealed and chained like all others, and names are claimed. The people have no credentials, so
nobody can sign in as one of them.

  --users <n>      people, 2 to ${number(most.users)}: names in several scripts, some suspended or deactivated, a few auditors
  --rooms <n>      rooms, 1 to ${number(most.rooms)}, of all kinds and of very uneven size; some are closed
  --messages <n>   messages, up to ${number(most.messages)}; plus replies, reactions, edits, redactions and reports
  --seed <n>       a whole number, default 1; another one gives other people and messages
  --until <date>   the day at whose start the year ends, default today

The same numbers give the same people, rooms and texts; keys, and so sealed texts and hashes, are always new. Events carry in
\`occurredAt\` when they are meant to have happened, as imported ones do, and in \`at\` when they were written.

Then the read models are built, as \`projections rebuild\` does. A log that is in use is refused, and so is a second seed. An
interrupted one cannot be continued: start over with an empty database.

Exit codes: 0 when all is done; 1 when it was refused or stopped; 2 when the command was called wrongly.`,

  async run(args, surroundings) {
    const options = readOptions(args, new Date());
    return plainly(() => withParts(surroundings, (parts) => fill(parts, options, surroundings)));
  },
};

/** Reads the arguments. Throws UsageError. */
export function readOptions(args: readonly string[], now: Date): SeedOptions {
  const text = { type: 'string' } as const;
  const {
    users,
    rooms,
    messages,
    seed = '1',
    until = now.toISOString().slice(0, 10),
  } = parse(args, {
    ...{ users: text, rooms: text, messages: text, seed: text, until: text },
  });
  const day = new Date(`${until}T00:00:00.000Z`);
  if (Number.isNaN(day.getTime()) || !day.toISOString().startsWith(until)) {
    throw new UsageError('Write --until as YYYY-MM-DD, the day at whose start the year ends.');
  }
  return {
    users: wholeNumber('users', users, 2, most.users),
    rooms: wholeNumber('rooms', rooms, 1, most.rooms),
    messages: wholeNumber('messages', messages, 0, most.messages),
    seed: wholeNumber('seed', seed, 0, 2 ** 32 - 1),
    until,
  };
}

function parse<T extends Record<string, { type: 'string' }>>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options }).values as { readonly [K in keyof T]?: string };
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

function wholeNumber(name: string, text: string | undefined, least: number, greatest: number): number {
  const value = Number(text ?? Number.NaN);
  if (!/^\d+$/.test(text ?? '') || value < least || value > greatest)
    throw new UsageError(`--${name} must be a whole number from ${number(least)} to ${number(greatest)}.`);
  return value;
}

interface Opened extends SeedParts {
  /** The way around a transaction pooler. */
  readonly direct: Sql;
}

/** Log and vault, without the read models: a projector would only slow this down. */
async function withParts(
  { config, database, log }: Surroundings,
  work: (parts: Opened) => Promise<number>,
): Promise<number> {
  const { url, directUrl } = await database();
  const sql = connect(url);
  const direct = directUrl === url ? sql : connect(directUrl);
  const place = config.EVENT_STORE_URL;
  const store = await openEventStore({ url: place ?? url, directUrl: place ?? directUrl, log });
  try {
    const keys = await PostgresKeyRing.open(sql, await masterKeys(config));
    await migrateVault(sql, keys);
    return await work({ store, keys, sql, direct });
  } finally {
    await store.close();
    if (direct !== sql) await direct.end({ timeout: 5 });
    await sql.end({ timeout: 5 });
  }
}

async function fill(parts: Opened, options: SeedOptions, surroundings: Surroundings): Promise<number> {
  const progress = progressDisplay();
  const begun = Date.now();
  const report = await seed(parts, options, ({ done, total, events }) =>
    progress.show({ phase: 'writing', done, total, note: `${number(events)} events` }),
  ).finally(() => progress.end());
  const written = Date.now();
  await buildReadModels(parts, surroundings);
  process.stdout.write(summary(report, options, { writing: written - begun, building: Date.now() - written }));
  return 0;
}

async function buildReadModels({ sql, direct, store, keys }: Opened, { config, log }: Surroundings): Promise<void> {
  const sealer = new Sealer(keys);
  const texts = await textsOf(config, { keys, store, sealer });
  const progress = progressDisplay();
  await rebuild(
    { sql, direct, store, texts, open: (events) => sealer.open(events, { passing: true }), log },
    ({ schema, phase, position, head }) =>
      progress.show({ phase, done: Number(position) + 1, total: Number(head) + 1, note: schema }),
  ).finally(() => progress.end());
}

function summary(
  { people, rooms, messages, events }: SeedReport,
  { seed, until }: SeedOptions,
  { writing, building }: { readonly writing: number; readonly building: number },
): string {
  const perSecond = number(Math.round(events / Math.max(writing / 1_000, 0.001)));
  return [
    `Created ${number(people)} people, ${number(rooms)} rooms and ${number(messages)} messages of the year before ${until} (seed ${seed}).`,
    `They are ${number(events)} events, written in ${duration(writing)}: ${perSecond} per second.`,
    `The read models were built in ${duration(building)}.`,
    '',
  ].join('\n');
}

const duration = (milliseconds: number): string =>
  milliseconds < 120_000 ? `${(milliseconds / 1_000).toFixed(1)} s` : `${Math.round(milliseconds / 60_000)} minutes`;
