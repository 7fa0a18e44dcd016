import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/** A process that stands in for KurrentDB: that of the tests, which is not built. Tells its parent where it is reached. */
const main = '../../libs/event-store/src/kurrentdb/stand-in-process.main.testing.ts';
await runnerImport(fileURLToPath(new URL(main, import.meta.url)), { configFile: false, logLevel: 'error' });
