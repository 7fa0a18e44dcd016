import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { calls, closeReasons, errorCodes, errors, maxFrameBytes, streamCategories } from '@verbatim/protocol';
import { rolldown } from 'rolldown';
import { declareProtocol } from './declare-protocol.js';

/**
 * Makes the package of what tsc has put into dist/modules: one file of code, and declarations that need no other package. Of
 * `@verbatim/protocol` it contains what the client asks of it at run time, which is little, and none of its schemas.
 */
const dist = fileURLToPath(new URL('dist', import.meta.url));
const modules = join(dist, 'modules');
const PROTOCOL = '@verbatim/protocol';

for (const name of await readdir(dist))
  if (/^(?!modules$|\.)/.test(name)) await rm(join(dist, name), { recursive: true });
await bundleCode();
await copyDeclarations();
for (const name of ['LICENSE', 'NOTICE']) await cp(new URL(`../../../${name}`, import.meta.url), join(dist, name));

async function bundleCode() {
  const facts = {
    name: 'facts of the protocol',
    resolveId: (id) => (id === PROTOCOL ? `\0${PROTOCOL}` : null),
    load: (id) => (id === `\0${PROTOCOL}` ? factsOfTheProtocol() : null),
  };
  const input = join(modules, 'index.js');
  const bundle = await rolldown({ input, external: ['uuid', 'ws'], platform: 'browser', plugins: [facts] });
  await bundle.write({ file: join(dist, 'index.js'), format: 'esm', sourcemap: false, comments: { legal: true } });
}

/** A module with the values of `@verbatim/protocol` that the client uses, as far as it uses them. */
function factsOfTheProtocol() {
  const values = {
    calls: mapValues(calls, ({ method, path, auth, mediaType, headers }) => ({
      ...{ method, path, headers: { request: mapValues(headers.request, () => 1) } },
      ...(auth === 'none' && { auth }),
      ...(mediaType && { mediaType }),
    })),
    closeReasons: mapValues(closeReasons, ({ code }) => ({ code })),
    errors: mapValues(errors, ({ status, retryable }) => ({ status, retryable })),
    ...{ errorCodes, maxFrameBytes, streamCategories },
  };
  const lines = Object.entries(values).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)};`);
  return lines.join('\n');
}

function mapValues(object, change) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]));
}

async function copyDeclarations() {
  const imported = new Set();
  for (const name of await readdir(modules)) {
    if (!name.endsWith('.d.ts')) continue;
    const text = await readFile(join(modules, name), 'utf8');
    for (const [, names] of text.matchAll(/\{([^}]*)\} from '@verbatim\/protocol'/g))
      for (const each of names.split(','))
        imported.add(
          each
            .trim()
            .replace(/^type /, '')
            .replace(/ as .*$/, ''),
        );
    const own = text.replaceAll(`'${PROTOCOL}'`, "'./protocol.js'").replace(/\n\/\/# sourceMappingURL=.*/, '');
    await writeFile(join(dist, name), own);
  }
  await writeFile(join(dist, 'protocol.d.ts'), declareProtocol([...imported].sort()));
}
