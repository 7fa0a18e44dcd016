import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const source = `${root}apps/api/src/`;
const text = readFileSync(`${root}ARCHITECTURE.md`, 'utf8');
const map = text.slice(text.indexOf('## Code map'), text.indexOf('## How the service is composed'));

/** The paths in the first column of the map's tables. */
const named = map
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .flatMap((line) => [...(line.split(' | ')[0] as string).matchAll(/`([^`]+)`/g)].map(([, path]) => path as string));

const foldersIn = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !/^(node_modules|dist|out|golden|\.\w+)$/.test(entry.name))
    .map(({ name }) => name);

/** Folders of the service, two levels deep. */
const ofTheService = foldersIn(source).flatMap((folder) => [
  folder,
  ...foldersIn(`${source}${folder}`).map((name) => `${folder}/${name}`),
]);

describe('the code map of ARCHITECTURE.md', () => {
  it('names every project', () => {
    const projects = ['apps', 'libs'].flatMap((kind) => foldersIn(`${root}${kind}`).map((name) => `${kind}/${name}`));
    expect(projects.filter((project) => !named.includes(project))).toEqual([]);
  });

  it('names every folder of the service', () => {
    expect(ofTheService.filter((folder) => !named.includes(folder))).toEqual([]);
  });

  it('names nothing that is not there', () => {
    expect(named.filter((path) => !existsSync(`${root}${path}`) && !existsSync(`${source}${path}`))).toEqual([]);
  });
});

it.each(['docs/bounds.md', 'docs/crashes.md'])('%s names files that exist', (document) => {
  const files = ['apps', 'libs'].flatMap((kind) => readdirSync(`${root}${kind}`, { recursive: true }) as string[]);
  const paths = [...readFileSync(`${root}${document}`, 'utf8').matchAll(/`([\w./-]+\.ts)`/g)].map(([, path]) => path);
  const known = (path = '') => existsSync(`${root}${path}`) || files.some((file) => `/${file}`.endsWith(`/${path}`));
  expect(paths.filter((path) => !known(path))).toEqual([]);
});
