import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

/** A process with the tests' stand-in for KurrentDB, which is not built. Sends its address to its parent. */
const main = '../../libs/event-store/src/kurrentdb/stand-in-process.main.testing.ts';
await runnerImport(fileURLToPath(new URL(main, import.meta.url)), { configFile: false, logLevel: 'error' });
