import postgres from 'postgres';
import { longHistory } from './history.testing.js';
import { Projector } from './projector.js';
import { silent } from './read-database.testing.js';
import { readModels } from './read-models.js';
import { open, storeOf } from './recorder.testing.js';

const { READ_DATABASE_URL = '', HISTORY_LENGTH, MAX_BATCH } = process.env;
const sql = postgres(READ_DATABASE_URL, { max: 2, onnotice: () => {} });
const store = await storeOf(longHistory(Number(HISTORY_LENGTH)));
const maxBatch = Number(MAX_BATCH);
const projector = new Projector({
  sql,
  store,
  open,
  schema: 'read_1',
  projections: readModels,
  delayMs: 1,
  maxBatch,
  log: silent,
});
projector.start();
process.send?.('started');
process.on('disconnect', () => process.exit());
