import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Puts the service, command line and dashboard of this checkout, built before, into an empty folder as a package of npm:
 *
 *   node deploy/npm/assemble.js <folder> && npm pack ./<folder>
 *
 * Our own projects are part of the package, and so are all packages that they need, in the versions of the lock file: whoever
 * installs it gets what was tested. Only what differs from machine to machine is left to the installation: the embedded
 * PostgreSQL, and packages with machine code. It needs the registry of npm, or its cache.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const [, , folder] = process.argv;
if (!folder) throw new Error('Name the folder to put everything into.');
if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is not empty.`);
mkdirSync(folder, { recursive: true });

const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));
const libs = ['domain', 'event-store', 'projections', 'protocol'];
const shipped = [
  ...['apps/api/dist', 'apps/api/package.json', 'apps/admin/out', 'LICENSE', 'NOTICE', 'CHANGELOG.md'],
  ...libs.map((name) => `libs/${name}/dist`),
];
/** What only people, compilers and tests read, of our own projects and of packages. */
const unused = /\.d\.[mc]?ts$|\.[mc]?js\.map$|\.tsbuildinfo$|\.(spec|testing)\.js$|(^|\/)test-data$/;
const unusedOfPackages = /\.(md|markdown|ts|map)$|\/(tests?|__tests__|docs?|examples?|benchmarks?|\.github)$/;

for (const file of shipped)
  cpSync(join(root, file), join(folder, file), { recursive: true, filter: (name) => !unused.test(name) });
for (const file of readdirSync(folder, { recursive: true })) if (file.endsWith('.js')) withoutPackageNames(file);
cpSync(join(root, 'deploy/npm/README.md'), join(folder, 'README.md'));
mkdirSync(join(folder, 'bin'));
cpSync(join(root, 'deploy/npm/verbatim.js'), join(folder, 'bin/verbatim.js'));
chmodSync(join(folder, 'bin/verbatim.js'), 0o755);
bundle(manifestOfAll());

/** Modules of our own projects find each other by their places, because a package cannot contain others. */
function withoutPackageNames(file) {
  const text = readFileSync(join(folder, file), 'utf8');
  const changed = text.replace(/(from |import\()'@verbatim\/([a-z-]+)'/g, (_, before, name) => {
    if (!libs.includes(name)) throw new Error(`${file} needs ${name}, which is not part of the package.`);
    return `${before}'${relative(dirname(file), `libs/${name}/dist/index.js`)}'`;
  });
  if (changed !== text) writeFileSync(join(folder, file), changed);
}

function manifestOfAll() {
  const { version, description, license, engines, overrides } = read('package.json');
  const projects = ['apps/api', ...libs.map((name) => `libs/${name}`)].map((name) => read(`${name}/package.json`));
  const all = (kind) => Object.assign({}, ...projects.map((project) => project[kind]));
  const own = ([name]) => !name.startsWith('@verbatim/');
  return {
    ...{ name: 'verbatim', version, description, license, type: 'module', engines },
    bin: { verbatim: 'bin/verbatim.js' },
    dependencies: Object.fromEntries(Object.entries(all('dependencies')).filter(own)),
    optionalDependencies: all('optionalDependencies'),
    overrides,
  };
}

/** Installs what the package needs into it, and names that as bundled. */
function bundle(manifest) {
  const write = (content) => writeFileSync(join(folder, 'package.json'), `${JSON.stringify(content, null, 2)}\n`);
  write(manifest);
  cpSync(join(root, 'package-lock.json'), join(folder, 'package-lock.json'));
  npm('install', '--package-lock-only', '--omit=dev', '--omit-lockfile-registry-resolved');
  npm('ci', '--omit=dev', '--omit=optional');
  for (const name of readdirSync(join(folder, 'node_modules'), { recursive: true }))
    if (unusedOfPackages.test(name)) rmSync(join(folder, 'node_modules', name), { recursive: true, force: true });
  for (const name of installed()) keepOverrides(name, manifest.overrides);
  rmSync(join(folder, 'package-lock.json'));
  write({
    ...manifest,
    overrides: undefined,
    bundleDependencies: installed().filter((name) => !withMachineCode(name)),
  });
}

/** Overrides hold for nobody who installs a package, so the packages themselves ask for the versions that were tested. */
function keepOverrides(name, overrides) {
  const path = join(folder, 'node_modules', name, 'package.json');
  const content = JSON.parse(readFileSync(path, 'utf8'));
  const wanted = Object.entries({ ...overrides, ...overrides[name] }).filter(
    ([each, version]) => typeof version === 'string' && content.dependencies?.[each],
  );
  if (wanted.length === 0) return;
  Object.assign(content.dependencies, Object.fromEntries(wanted));
  writeFileSync(path, JSON.stringify(content, null, 2));
}

function npm(...words) {
  const always = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  execFileSync('npm', [...words, ...always], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
}

/** The packages at the top; what lies within them goes with them. */
function installed() {
  const names = (place) => readdirSync(join(folder, 'node_modules', place)).filter((name) => !name.startsWith('.'));
  return names('').flatMap((name) => (name.startsWith('@') ? names(name).map((each) => `${name}/${each}`) : [name]));
}

/** Whether a package has one of its own for each kind of machine, as optional dependencies. */
function withMachineCode(name) {
  const { optionalDependencies = {} } = JSON.parse(
    readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8'),
  );
  return Object.keys(optionalDependencies).some((each) => /linux-x64/.test(each));
}
