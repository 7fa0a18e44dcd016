import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { doors } from '../../doors/doors.js';
import { units } from '../../units/units.js';

const root = fileURLToPath(new URL('../../../../../', import.meta.url));
const source = resolve(root, 'apps/api/src');

const parts = [
  ...doors.map(({ name }) => ({ list: 'doors/doors.ts', folder: `doors/${name}` })),
  ...units.map(({ name }) => ({ list: 'units/units.ts', folder: `units/${name}` })),
];

it.each(parts)(
  '$folder can be deleted with its line in $list, and the rest compiles',
  ({ list, folder }) => {
    expect(errorsWithout(resolve(source, folder), resolve(source, list))).toEqual([]);
  },
  120_000,
);

/** What the compiler finds in the production code when a folder is gone, and every line of a list that mentions its part. */
function errorsWithout(folder: string, list: string): string[] {
  const config = ts.getParsedCommandLineOfConfigFile(
    resolve(root, 'tsconfig.spec.json'),
    {},
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => undefined,
    },
  );
  if (!config) throw new Error('tsconfig.spec.json cannot be read.');
  const host = ts.createCompilerHost(config.options);
  const { fileExists, readFile } = host;
  const gone = (file: string) => file.startsWith(`${folder}/`);
  host.fileExists = (file) => !gone(file) && fileExists(file);
  host.readFile = (file) => (file === list ? withoutLine(readFile(file) ?? '', folder) : readFile(file));
  host.getSourceFile = (file, version) => {
    const text = host.readFile(file);
    return text === undefined || gone(file) ? undefined : ts.createSourceFile(file, text, version, true);
  };
  const files = config.fileNames.filter(
    (file) => file.startsWith(`${source}/`) && !gone(file) && !/\.(spec|testing)\.ts$/.test(file),
  );
  const program = ts.createProgram(files, config.options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, messageText }) => `${file ? relative(source, file.fileName) : ''}: ${JSON.stringify(messageText)}`);
}

/** Removes the import of a folder, and the lines on which what it imports is used. */
function withoutLine(text: string, folder: string): string {
  const place = `'./${folder.slice(dirname(folder).length + 1)}/`;
  const imported = text.split('\n').find((line) => line.includes(place));
  const name = /\{ (\w+) \}/.exec(imported ?? '')?.[1];
  if (!imported || !name) throw new Error(`No line imports ${folder}.`);
  return text
    .split('\n')
    .filter((line) => line !== imported)
    .join('\n')
    .replace(new RegExp(`\\b${name}\\b,?`), '');
}
