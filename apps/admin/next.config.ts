import { fileURLToPath } from 'node:url';
import type { NextConfig } from 'next';
import { fingerprint } from '../../bin/build.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The dashboard is a folder of static files in `out`, which the service hands out under `/admin/`. */
const config: NextConfig = {
  output: 'export',
  basePath: '/admin',
  trailingSlash: true,
  reactStrictMode: true,
  turbopack: { root },
  // By default a random number, which is in the names of files: the same sources would not give the same files.
  generateBuildId: async () => (await fingerprint(root, ['apps/admin', 'libs'])).slice(0, 21),
};

export default config;
