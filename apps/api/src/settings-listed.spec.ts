import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { settingNames } from './config.js';
import { doors } from './doors/doors.js';
import { units } from './units/units.js';

const documents = ['README.md', 'docs/operations.md', 'docs/accounts.md'].map((file) =>
  readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8'),
);
const rows = documents
  .flatMap((text) => text.split('\n'))
  .filter((line) => line.startsWith('|'))
  .join('\n');

it('every setting has a row in a table for operators', () => {
  const missing = settingNames([...units, ...doors]).filter((name) => !rows.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});
