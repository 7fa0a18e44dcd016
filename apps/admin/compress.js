import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { constants, gzipSync } from 'node:zlib';

// Puts a compressed copy beside each text of the built dashboard, so that nobody has to compress it again for each visit.

const out = fileURLToPath(new URL('./out/', import.meta.url));
for (const name of readdirSync(out, { recursive: true })) {
  if (!/\.(css|html|js|svg|txt)$/.test(name)) continue;
  writeFileSync(`${out}${name}.gz`, gzipSync(readFileSync(`${out}${name}`), { level: constants.Z_BEST_COMPRESSION }));
}
