import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { defaultsOf, generate } from './generate.js';
import { chart, promtool } from './helm.testing.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (...path: string[]) => readFile(join(...path), 'utf8');

interface SchemaNode {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: unknown;
}

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

describe('the files that are generated', () => {
  it('are current', async () => {
    for (const [file, text] of Object.entries(await generate())) {
      const kept = await read(chart, file);
      const hint = `${file} is not current: run node deploy/helm/generate.js && npm run format`;
      if (file.endsWith('.json')) expect(JSON.parse(kept), hint).toEqual(JSON.parse(text));
      else expect(kept, hint).toBe(text);
    }
  });

  it('include the defaults of the schema as values.yaml', async () => {
    const schema = JSON.parse(await read(chart, 'values.schema.json'));
    expect(parse(await read(chart, 'values.yaml'))).toEqual(defaultsOf(schema));
  });
});

describe('the schema of the values', () => {
  it('describes every value, and lets no unknown one pass', async () => {
    const schema = JSON.parse(await read(chart, 'values.schema.json'));
    const lacking: string[] = [];
    const visit = (node: SchemaNode, path: string) => {
      if (node.properties && node.additionalProperties !== false) lacking.push(`${path}: additionalProperties`);
      for (const [name, property] of Object.entries(node.properties ?? {})) {
        if (!property.description) lacking.push(`${path}.${name}: description`);
        visit(property, `${path}.${name}`);
      }
    };
    visit(schema, '');
    for (const [name, definition] of Object.entries<SchemaNode>(schema.$defs)) visit(definition, name);
    expect(lacking).toEqual([]);
  });
});

describe('dashboard and alerts', () => {
  it('name metrics that the service has', async () => {
    const known = await metricsOfTheService();
    const { groups } = parse(await read(chart, 'files/alerts.yaml')) as { groups: { rules: Alert[] }[] };
    const alerts = groups.flatMap(({ rules }) => rules).map(({ expr }) => expr);
    const { panels } = JSON.parse(await read(chart, 'files/dashboard.json')) as {
      panels: { targets?: { expr: string }[] }[];
    };
    const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    const used = new Set([...alerts, ...queries].flatMap((query) => query.match(metricName) ?? []));
    expect(used.size).toBeGreaterThan(15);
    expect([...used].filter((name) => !known.has(name))).toEqual([]);
  });

  it('show every metric of the service', async () => {
    const shown = await read(chart, 'files/dashboard.json');
    const own = [...(await metricsOfTheService())].filter((name) => /^verbatim_.*(?<!_bucket|_sum|_count)$/.test(name));
    expect(own.filter((name) => !shown.includes(name))).toEqual([]);
  });

  it('are explained: operations.md lists every metric of the service', async () => {
    const table = await read(root, 'docs/operations.md');
    const own = [...(await metricsOfTheService())].filter((name) => /^verbatim_.*(?<!_bucket|_sum|_count)$/.test(name));
    expect(own.filter((name) => !new RegExp(`\\b${name}\\b`).test(table))).toEqual([]);
  });

  it('have a page in the runbook for each alert', async () => {
    const { groups } = parse(await read(chart, 'files/alerts.yaml')) as { groups: { rules: Alert[] }[] };
    const runbook = await read(root, 'docs/runbook.md');
    for (const { alert, annotations } of groups.flatMap(({ rules }) => rules)) {
      expect(runbook).toContain(`\n## ${alert}\n`);
      expect(annotations.runbook).toBe(`docs/runbook.md#${alert.toLowerCase()}`);
      expect(annotations.summary).toMatch(/\.$/);
    }
  });

  it('have pages that say what to do, and lead to headings that exist', async () => {
    const runbook = await read(root, 'docs/runbook.md');
    const pages = runbook.split(/^## /m).slice(1);
    for (const page of pages) expect(page).toMatch(/\*\*Means\.\*\*.+\*\*Look(, do\.\*\*|.+\*\*Do\.\*\*)/s);
    const links = [...runbook.matchAll(/\]\(([\w./-]*\.md)?#([\w-]+)\)/g)];
    expect(links.length).toBeGreaterThan(5);
    for (const [link, file = 'runbook.md', anchor] of links) {
      const headings = [...(await read(root, 'docs', file)).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        anchorOf(heading),
      );
      expect(headings, link).toContain(anchor);
    }
  });
});

describe('the test of the alerts', () => {
  it('has for each alert a time when it fires, and one when it is quiet', async () => {
    const { groups } = parse(await read(chart, 'files/alerts.yaml')) as { groups: { rules: Alert[] }[] };
    const { tests } = parse(await readFile(new URL('alerts.test.yaml', import.meta.url), 'utf8')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: object[] }[] }[];
    };
    const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    const namesOf = (fires: boolean) =>
      [...new Set(cases.filter((each) => each.exp_alerts.length > 0 === fires).map((each) => each.alertname))].sort();
    const alerts = groups.flatMap(({ rules }) => rules.map(({ alert }) => alert)).sort();
    expect([namesOf(true), namesOf(false)]).toEqual([alerts, alerts]);
  });
});

describe.skipIf(!promtool)('alerts', () => {
  it('fire when they should, and only then', async () => {
    const test = fileURLToPath(new URL('alerts.test.yaml', import.meta.url));
    const { stdout } = await promisify(execFile)(promtool ?? 'promtool', ['test', 'rules', test]);
    expect(stdout).toContain('SUCCESS');
  });
});

/** The address of a heading on a page. */
const anchorOf = (heading: string) =>
  heading
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');

const metricName = /\b(verbatim|process|nodejs)_[a-z0-9_]+/g;

/** Schemas of an unfinished copy, which are named like series. */
const schemas: ReadonlySet<string> = new Set(['verbatim_copy', 'verbatim_restore']);

/** Names of all series: those that the code names as `'verbatim_...'`, and those of prom-client. */
async function metricsOfTheService(): Promise<Set<string>> {
  const names = new Set<string>();
  const sources = join(root, 'apps/api/src');
  for (const file of await readdir(sources, { recursive: true })) {
    if (!file.endsWith('.ts') || /\.(spec|testing)\.ts$/.test(file)) continue;
    for (const [, name] of (await read(sources, file)).matchAll(/(?:name: |\(\s*)'(verbatim_[a-z_]+)'/g))
      if (!schemas.has(`${name}`)) names.add(`${name}`);
  }
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const { name } of await registry.getMetricsAsJSON()) names.add(name);
  registry.clear();
  for (const name of [...names].filter((each) => each.endsWith('_seconds')))
    for (const suffix of ['_bucket', '_sum', '_count']) names.add(`${name}${suffix}`);
  return names;
}
