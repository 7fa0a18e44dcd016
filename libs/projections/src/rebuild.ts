import { isHeld } from './advisory-lock.js';
import { type Building, type BuildingOptions, REBUILD, withBuilding } from './building.js';
import { readCheckpoint } from './checkpoints.js';
import { readModels, schemaName } from './read-models.js';
import { ReadSchemas, switchTo } from './read-schemas.js';
import { transactionOn } from './transaction.js';

export type RebuildOptions = BuildingOptions;

export interface RebuildProgress {
  readonly schema: string;
  readonly phase: 'filling' | 'indexing' | 'switched';
  /** Position of the last event taken in, and of the last in the log. */
  readonly position: bigint;
  readonly head: bigint;
}

/** How far a rebuild has come, as the database shows it to every process. */
export type RebuildUnderWay = Omit<RebuildProgress, 'phase'>;

export type RebuildOutcome =
  | { readonly outcome: 'switched'; readonly schema: string }
  | { readonly outcome: 'already running' };

/**
 * Rebuilds all read models from the log, in a schema beside the live one, and makes it the live one when it has caught
 * up. What happens from then on is added by the projectors of the running processes. Only one rebuild runs in a database
 * at a time. What one that was killed left behind is dropped by the next, which starts from the beginning: keys may have
 * been destroyed since.
 */
export async function rebuild(
  options: RebuildOptions,
  onProgress: (progress: RebuildProgress) => void = () => {},
): Promise<RebuildOutcome> {
  await new ReadSchemas(options).ensureLive();
  const built = await withBuilding(options, (building) => buildAndSwitch(building, options, onProgress));
  return built ?? { outcome: 'already running' };
}

async function buildAndSwitch(
  building: Building,
  { log, store }: RebuildOptions,
  onProgress: (progress: RebuildProgress) => void,
): Promise<RebuildOutcome> {
  const { schema, connection } = building;
  let head = await store.head();
  const report = (phase: RebuildProgress['phase']) => onProgress({ schema, phase, position: building.position, head });
  const catchUp = async () => {
    head = await store.head();
    await building.fill(head, () => report('filling'));
  };
  log.info({ schema }, 'Rebuilding the read models.');
  await catchUp();
  report('indexing');
  await building.index();
  // Twice: the first pass takes in what was written while the indexes were built, the second what the first left.
  await catchUp();
  await catchUp();
  await transactionOn(connection, (tx) => switchTo(tx, building.n));
  report('switched');
  log.info({ schema, position: building.position }, 'The read models were rebuilt.');
  return { outcome: 'switched', schema };
}

/** The rebuild that runs now, in whatever process of this database; null: there is none, or it has only just begun. */
export async function rebuildUnderWay({
  sql,
  store,
}: Pick<RebuildOptions, 'sql' | 'store'>): Promise<RebuildUnderWay | null> {
  if (!(await isHeld(sql, REBUILD))) return null;
  const [row] = await sql<
    { n: number }[]
  >`SELECT max(n) AS n FROM desk.read_schemas WHERE state = 'building' HAVING max(n) > 0`;
  if (!row) return null;
  const schema = schemaName(row.n);
  // It may have come to its end meanwhile, and a schema that was given up may be gone.
  const checkpoint = await readCheckpoint(sql, schema, readModels.timeline.name).catch(() => null);
  return checkpoint && { schema, position: checkpoint.position, head: await store.head() };
}
