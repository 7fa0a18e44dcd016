import { defineConfig } from 'vitest/config';

/** Suites that take minutes run only under `npm run test:long`, which sets LONG=1. */
const long = process.env.LONG === '1';

export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  ssr: { resolve: { conditions: ['@verbatim/source', 'node', 'development|production'] } },
  test: {
    include: [
      'bin/**/*.spec.ts',
      'deploy/**/*.spec.ts',
      'apps/*/src/**/*.spec.ts',
      'apps/admin/e2e/**/*.spec.ts',
      'libs/*/src/**/*.spec.ts',
      'libs/protocol/client/src/**/*.spec.ts',
    ],
    // deploy/kubernetes/run.sh runs those that need a Kubernetes.
    exclude: ['**/*.cluster.spec.ts', ...(long ? [] : ['**/*.long.*.spec.ts'])],
    globalSetup: ['./vitest.database.ts', './apps/admin/e2e/browser-note.testing.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
