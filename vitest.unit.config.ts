import { defineConfig } from 'vitest/config';
import all from './vitest.config.js';

/**
 * The tests that need nothing but the code: no database, no build, no browser. Tests that open sockets, processes or databases
 * are named `.int.spec.ts` or `.e2e.spec.ts`.
 */
export default defineConfig({
  ...all,
  test: {
    ...all.test,
    exclude: ['**/*.cluster.spec.ts', '**/*.int.spec.ts', '**/*.e2e.spec.ts', '**/*.long.*.spec.ts'],
    globalSetup: [],
    // Importing the modules again for every file would take longer than the tests themselves.
    isolate: false,
  },
});
