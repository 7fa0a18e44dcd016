import 'reflect-metadata';
import { pino } from 'pino';
import { readConfig } from '../../config.js';
import { doors } from '../../doors/doors.js';
import { startService } from '../../service.js';
import { openDatabase } from '../../storage/database/database.js';
import { units } from '../../units/units.js';

/** Message from the parent: how many milliseconds the clock is ahead from now on. */
export type Order = { readonly clockAhead: number };
/** Message to the parent, sent once: the URL, and those of doors at listeners of their own, by title. */
export type Word = { readonly ready: string; readonly doors: Readonly<Record<string, string>> };

// A replica as `main.ts` makes it, but with a clock that goes wrong when its parent says so, and that ends with its
// parent: `node replica.testing.js <milliseconds that the clock is ahead>`.
let ahead = Number(process.argv[2]);
process.on('message', ({ clockAhead }: Order) => {
  ahead = clockAhead;
});
process.on('disconnect', () => process.exit(1));

const config = readConfig(process.env, [...units, ...doors]);
const log = pino({ level: config.LOG_LEVEL });
const database = await openDatabase(config, log);
const { url, furtherDoors } = await startService({
  config,
  database,
  log,
  clock: () => new Date(Date.now() + ahead),
  announcePassword: () => undefined,
});
process.send?.({ ready: url, doors: Object.fromEntries(furtherDoors) } satisfies Word);
