import { PostgresKeyRing, RootKeys } from '@verbatim/event-store';
import { z } from 'zod';
import { ExportAccess } from '../../application/exports/export-access.js';
import { ExportRequestsRead } from '../../application/exports/export-handlers.js';
import { PublishedLog } from '../../application/transparency/published-log.js';
import { Time } from '../../clock.js';
import { Figure, Sweep } from '../../composition/contributions.js';
import { unit } from '../../host/part.js';
import { Directory } from '../../storage/directory.js';
import { StoredExports } from '../../storage/exports/stored-exports.js';
import { MeasuredEventStore } from '../../storage/measured-event-store.js';
import { ReadModels } from '../../storage/read-models.js';
import { DIRECT_SQL, LOG, SQL } from '../../storage/tokens.js';
import { LogKeys } from '../../storage/transparency/log-keys.js';
import { LogTrees } from '../../storage/transparency/log-trees.js';
import { Erasures } from '../../write-side/entities.js';
import { Inspections } from '../../write-side/inspections.js';
import { BundleMaker } from './bundle-maker.js';
import { ExportRunner } from './export-runner.js';

const blank = (value: unknown) => (value === '' ? undefined : value);

/** Makes the bundles of exports. Without it they wait. */
export const exportsUnit = unit({
  name: 'exports',
  settings: {
    EXPORT_KEEP_DAYS: z.preprocess(blank, z.coerce.number().int().min(1).max(365).default(7)),
    EXPORT_MAX_BYTES: z.preprocess(
      blank,
      z.coerce
        .number()
        .int()
        .min(1_000_000)
        .default(10 * 2 ** 30),
    ),
  },
  async open(application, _, { EXPORT_KEEP_DAYS: days, EXPORT_MAX_BYTES: mostBytes }) {
    const exports = application.get(StoredExports);
    const maker = new BundleMaker({
      exports,
      access: application.get(ExportAccess),
      requests: application.get(ExportRequestsRead),
      erasures: application.get(Erasures),
      inspections: application.get(Inspections),
      directory: application.get(Directory),
      readModels: application.get(ReadModels),
      store: application.get(MeasuredEventStore),
      published: application.get(PublishedLog),
      trees: application.get(LogTrees),
      logKeys: application.get(LogKeys),
      // Of its own, because what it remembers is dropped at each turn.
      keys: await PostgresKeyRing.open(application.get(SQL), application.get(RootKeys)),
      now: application.get(Time).now,
      days,
      mostBytes,
    });
    const runner = new ExportRunner(application.get(DIRECT_SQL), exports, maker, application.get(LOG));
    return {
      start: () => runner.start(),
      close: () => runner.stop(),
      sweeps: [new Sweep('exports', () => exports.sweep(), true)],
      figures: [
        new Figure('verbatim_exports_running', 'Whether this process makes the bundles of exports.', () =>
          Number(runner.running),
        ),
        new Figure('verbatim_exports_unfinished', 'Exports that are not finished.', () => exports.unfinished()),
        new Figure('verbatim_exports_stored_bytes', 'Bytes of all bundles that are kept or being made.', () =>
          exports.storedBytes(),
        ),
      ],
    };
  },
});
