import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Puts what the image needs of this checkout, built before, into an empty folder: the service, command line and dashboard, and the
 * packages that they need at run time. Also writes the list of these packages (CycloneDX) to sbom.cdx.json.
 *
 *   node deploy/image/assemble.js <folder>
 *
 * The same commit gives the same bytes. It needs the registry of npm, or its cache.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const [, , folder] = process.argv;
if (!folder) throw new Error('Name the folder to put everything into.');
if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is not empty.`);
mkdirSync(folder, { recursive: true });

const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const projects = workspaces.flatMap((pattern) =>
  pattern.endsWith('/*')
    ? readdirSync(join(root, dirname(pattern))).map((name) => `${dirname(pattern)}/${name}`)
    : [pattern],
);

// npm checks that the packages of all workspaces are those of the lock file, so it needs all of them.
for (const file of ['package.json', 'package-lock.json', '.npmrc', ...projects.map((each) => `${each}/package.json`)])
  copy(file);
npm('ci', '--omit=dev', '--workspace=@verbatim/api', '--no-audit', '--no-fund');
writeFileSync(join(folder, 'sbom.cdx.json'), billOfMaterials());

const shipped = readdirSync(join(root, 'libs')).map((name) => `libs/${name}/dist`);
for (const file of ['apps/api/dist', 'apps/admin/out', 'bin/verbatim', 'LICENSE', 'NOTICE', ...shipped]) copy(file);

cpSync(join(root, 'deploy/image/healthcheck.js'), join(folder, 'healthcheck.js'));

// What only people and compilers read.
const unused = [
  /\.d\.[mc]?ts$|\.[mc]?js\.map$|\.tsbuildinfo$/,
  /^(apps|libs)\/.*(\.(spec|testing)\.js|\/test-data)$/,
  /^node_modules\/.*\/(tests?|__tests__|docs?|examples?|benchmarks?|\.github)$/,
  /^node_modules\/.*\.(md|markdown|ts)$/,
  /^node_modules\/(\.package-lock\.json|\.bin)$/,
  /^(node_modules\/@verbatim\/(admin|client)|libs\/protocol\/client|apps\/admin\/package\.json)$/,
  /^(\.npmrc|package-lock\.json)$/,
];
for (const name of readdirSync(folder, { recursive: true }))
  if (unused.some((pattern) => pattern.test(name))) rmSync(join(folder, name), { recursive: true, force: true });

function copy(file) {
  mkdirSync(dirname(join(folder, file)), { recursive: true });
  cpSync(join(root, file), join(folder, file), { recursive: true });
}

function npm(...args) {
  return execFileSync('npm', args, {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 2 ** 26,
  });
}

/** As npm writes it, without the time and the number that it makes up each time, and without packages for other machines. */
function billOfMaterials() {
  const bill = JSON.parse(npm('sbom', '--sbom-format=cyclonedx', '--package-lock-only'));
  delete bill.serialNumber;
  delete bill.metadata.timestamp;
  bill.metadata.component.name = 'verbatim';
  const installed = installedPackages();
  bill.components = bill.components.filter((component) => installed.has(component['bom-ref']));
  const listed = new Set(bill.components.map((component) => component['bom-ref']));
  const missing = [...installed].filter((name) => !listed.has(name));
  if (missing.length > 0) throw new Error(`npm left these packages out of its list: ${missing.join(', ')}.`);
  const known = new Set([bill.metadata.component, ...bill.components].map((component) => component['bom-ref']));
  bill.dependencies = bill.dependencies
    .filter(({ ref }) => known.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((each) => known.has(each)) }));
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** Names and versions, such as `pino@10.4.0`, of everything that npm has installed, also of projects of this repository. */
function installedPackages() {
  const { packages } = JSON.parse(readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
  const names = Object.entries(packages)
    .filter(([, { version }]) => version !== undefined)
    .map(([path, { name = path.split('node_modules/').at(-1), version }]) => `${name}@${version}`);
  return new Set(names);
}
