import { createHash } from 'node:crypto';
import { auditTrail } from './audit-trail.js';
import { days } from './days.js';
import { members } from './members.js';
import { messages } from './messages.js';
import { people } from './people.js';
import { posters } from './posters.js';
import type { Projection, Transaction } from './projection.js';
import { replay } from './replay.js';
import { reports } from './reports.js';
import { restraints } from './restraints.js';
import { rooms } from './rooms.js';
import { search } from './search.js';
import { plainTexts, type Texts } from './texts.js';
import { webhookBots } from './webhook-bots.js';

/** Projections that share a checkpoint, and with it the transactions in which their rows change. */
export interface ProjectionGroup {
  /** The key of the checkpoint. */
  readonly name: string;
  readonly projections: readonly Projection[];
}

/** All read models. Reads after own writes wait for `timeline`; `search` may lag. */
export interface ReadModels {
  readonly timeline: ProjectionGroup;
  readonly search: ProjectionGroup;
}

export const readModels: ReadModels = {
  timeline: {
    name: 'timeline',
    projections: [
      people,
      rooms,
      members,
      messages,
      posters,
      restraints,
      reports,
      days,
      webhookBots,
      auditTrail,
      replay,
    ],
  },
  search: { name: 'search', projections: [search] },
};

/** Raise it when `apply` of any projection makes other rows of the same events; the DDL is part of the version anyway. */
const ROWS = 3;

/** Two releases with the same version can read and continue each other's read models. */
export const readModelsVersion = createHash('sha256')
  .update(`${ROWS}\n${checkpointsOf('read_0')}\n${tablesOf('read_0')}\n${indexesOf('read_0')}`)
  .digest('hex')
  .slice(0, 16);

/** The version of read models that hold texts in this way. */
export const versionWith = (texts: Texts = plainTexts): string =>
  texts.name === 'plain' ? readModelsVersion : `${readModelsVersion} ${texts.name}`;

export const schemaName = (n: number): string => `read_${n}`;

/** Makes an empty schema of read models, its checkpoints before the first event, without secondary indexes. */
export async function createReadSchema(tx: Transaction, schema: string): Promise<void> {
  await tx.unsafe(`
    SET LOCAL client_min_messages = warning;
    CREATE SCHEMA ${schema};
    ${checkpointsOf(schema)}
    INSERT INTO ${schema}.checkpoints VALUES ('${readModels.timeline.name}', -1), ('${readModels.search.name}', -1);
    ${tablesOf(schema)}`);
}

export async function createIndexes(tx: Transaction, schema: string): Promise<void> {
  await tx.unsafe(`SET LOCAL client_min_messages = warning; ${indexesOf(schema)}`);
}

function all(): readonly Projection[] {
  return [...readModels.timeline.projections, ...readModels.search.projections];
}

/** The last three columns identify the event at the position; they are null before the first. */
function checkpointsOf(schema: string): string {
  return `
    CREATE TABLE ${schema}.checkpoints (
      projection text PRIMARY KEY,
      position bigint NOT NULL,
      stream text,
      revision bigint,
      hash text
    ) WITH (fillfactor = 10);`;
}

function tablesOf(schema: string): string {
  return all()
    .map((projection) => projection.tables(schema))
    .join('\n');
}

function indexesOf(schema: string): string {
  return all()
    .map((projection) => projection.indexes(schema))
    .join('\n');
}
