import { fileURLToPath } from 'node:url';
import type { NextConfig } from 'next';

/** The dashboard is a folder of static files in `out`, which the service hands out under `/admin/`. */
const config: NextConfig = {
  output: 'export',
  basePath: '/admin',
  trailingSlash: true,
  reactStrictMode: true,
  turbopack: { root: fileURLToPath(new URL('../..', import.meta.url)) },
};

export default config;
