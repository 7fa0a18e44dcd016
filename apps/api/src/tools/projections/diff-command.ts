import { ERASURES, erasure, streamName } from '@verbatim/domain';
import { type EventStore, PostgresKeyRing, peek, Sealer } from '@verbatim/event-store';
import { type Comparison, compareWithLog, type Difference } from '@verbatim/projections';
import { connect } from '../../storage/database/pool.js';
import { explainStart } from '../../storage/database/unusable-server.js';
import { textsOf } from '../../storage/texts-of-read-models.js';
import { givenMasterKeys } from '../../storage/vault/master-key.js';
import { type CliCommand, type Surroundings, UsageError } from '../command.js';
import { openNamedLog, ownLog } from '../log/named-log.js';
import { progressDisplay } from '../progress.js';

/** `npm run cli -- projections diff` */
export const diffCommand: CliCommand = {
  summary: 'compares all read models with the log, row by row',
  help: `Usage: npm run cli -- projections diff

Builds all read models from the log anew, in a database schema beside the one in use, and compares each row with the live
one, both as they are at the same position of the log. The service may run meanwhile, and nothing is changed. What was built is
dropped at the end. It needs as much room on the disk of the database as the read models have, and the memory of a rebuild.

Prints a line for each row that differs: its table, its key, and the columns; not their values, which may be what people wrote.
"missing" rows follow from the log and are not there, "surplus" rows are there and do not follow from it. After a release that
changes the read models they are rebuilt by the first start; run this afterwards.

Exit codes: 0 when nothing differs; 1 when something does; 2 when the command was called wrongly; 3 when it could not be checked,
such as while a rebuild or an erasure is under way.`,

  async run(args, surroundings) {
    if (args.length > 0) throw new UsageError('projections diff takes no arguments.');
    try {
      return await diff(surroundings);
    } catch (error) {
      if (error instanceof UsageError) throw error;
      // Nothing was found out, so this must not look like a finding.
      const { message, stack } = error instanceof AggregateError ? error.errors[0] : (error as Error);
      const bug = error instanceof TypeError || error instanceof RangeError;
      return cannotTell((bug ? stack : message) || String(error));
    }
  },
};

async function diff(surroundings: Surroundings): Promise<number> {
  const { config, log } = surroundings;
  const masters = await givenMasterKeys(config);
  if (!masters)
    return cannotTell('There is no master key, without which the log cannot be read. Set MASTER_KEY or VERBATIM_DATA.');
  const database = await surroundings.database();
  const sql = connect(database.directUrl);
  try {
    const [there] = await sql`select to_regclass('desk.read_schemas') is not null as there`.catch(async (error) => {
      throw await explainStart(error, config, database);
    });
    if (!there?.there) return cannotTell(sentences['none live']);
    const store = await openNamedLog(ownLog(surroundings), surroundings);
    try {
      const keys = await PostgresKeyRing.open(sql, masters);
      const sealer = new Sealer(keys);
      const texts = await textsOf(config, { keys, store, sealer });
      const before = await erasuresSoFar(store);
      const found = finder();
      const progress = progressDisplay();
      const options = {
        sql,
        store,
        log,
        texts,
        open: (events: Parameters<Sealer['open']>[0]) => sealer.open(events, { passing: true }),
      };
      const compared = await compareWithLog(options, found.note, ({ phase, position, head }) =>
        progress.show({
          phase,
          done: Number(position) + 1,
          total: Number(position > head ? position : head) + 1,
          note: 'read models',
        }),
      ).finally(() => progress.end());
      if (compared.outcome !== 'compared') return cannotTell(sentences[compared.outcome]);
      const after = await erasuresSoFar(store);
      if (found.count > 0 && (after.underWay > 0 || after.events !== before.events))
        return cannotTell(
          'An erasure was under way, which empties rows before it destroys keys. Try again when it is done.',
        );
      process.stdout.write(summary(compared, found.count));
      return found.count > 0 ? 1 : 0;
    } finally {
      await store.close();
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
}

const sentences = {
  'already running': 'A rebuild or another comparison is running. Try again when it is done.',
  'none live': 'There are no read models yet. The first start of the service makes them.',
  'of another release': 'The read models are those of another release. The first start of this one rebuilds them.',
  'of another log': 'The read models were built from another log. The next start of the service rebuilds them.',
};

function cannotTell(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 3;
}

function finder() {
  let count = 0;
  return {
    get count() {
      return count;
    },
    note(difference: Difference) {
      count++;
      process.stdout.write(lineOf(difference));
    },
  };
}

function lineOf({ table, key, is, columns }: Difference): string {
  const place = Object.entries(key).map(([column, value]) => `${column}=${value}`);
  return `${table} ${place.join(' ')}: ${is}${columns.length > 0 ? ` (${columns.join(', ')})` : ''}\n`;
}

const summary = ({ tables, rows, position }: Extract<Comparison, { outcome: 'compared' }>, differing: number): string =>
  `${number(rows)} rows of ${tables} tables were compared at position ${position}; ${
    differing === 0 ? 'none differs' : `${number(differing)} ${differing === 1 ? 'differs' : 'differ'}`
  }.\n`;

const number = (count: number): string => count.toLocaleString('en-US');

/** How many events the register of erasures has, and how many erasures have begun and are not finished. */
async function erasuresSoFar(store: EventStore): Promise<{ events: number; underWay: number }> {
  const stream = streamName(erasure.category, ERASURES);
  const begun = new Set<unknown>();
  for (let events = 0; ; ) {
    const page = await store.read(stream, BigInt(events), 500);
    for (const { sealed } of page) {
      const { type, data } = peek(sealed);
      if (type === 'ErasureBegan') begun.add(data.erasureId);
      if (type === 'ErasureFinished') begun.delete(data.erasureId);
    }
    events += page.length;
    if (page.length === 0) return { events, underWay: begun.size };
  }
}
