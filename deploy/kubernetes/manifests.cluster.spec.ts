import { beforeAll, describe, expect, it } from 'vitest';
import { template, valuesFiles } from '../helm/helm.testing.js';
import { apply, Namespace, run } from './kubectl.testing.js';

/** What the API server says to everything that the chart renders. Unlike helm and schemas, it checks each object as a whole. */
beforeAll(async () => {
  const definitions = `${process.env.BINARIES}/definitions`;
  await run('kubectl', 'apply', '--server-side', '--filename', definitions);
  await run('kubectl', 'wait', '--for=condition=Established', '--filename', definitions, '--timeout=60s');
  await Namespace.create('manifests');
});

const check = (yaml: string) => apply('manifests', yaml, '--dry-run=server');

describe.each(Object.entries(valuesFiles))('the chart with the values %s', (_name, values) => {
  it('is taken by the API server, without a warning', async () => {
    const said = await check(await template('--values', values));
    expect(said).toContain('(server dry run)');
    expect(said).not.toMatch(/warning/i);
  });
});

describe('the check', () => {
  it('finds what schemas do not see', async () => {
    const rendered = await template();
    await expect(check(rendered.replaceAll('name: http', 'name: a-name-of-17-char'))).rejects.toThrow(
      /no more than 15/,
    );
  });
});
