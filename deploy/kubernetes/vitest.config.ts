import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import all from '../../vitest.config.js';

/** The tests on a Kubernetes of two nodes, which run.sh calls in the namespaces that it makes for them: one file after the other. */
export default defineConfig({
  ...all,
  test: {
    ...all.test,
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['deploy/kubernetes/**/*.cluster.spec.ts'],
    exclude: [],
    globalSetup: ['./deploy/kubernetes/cluster.ts'],
    fileParallelism: false,
    sequence: { shuffle: false },
    bail: 0,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
