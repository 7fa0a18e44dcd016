import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readOptions } from './import-command.js';
import { planImport } from './import-plan.js';

const importer = { id: 'importer', role: 'user' } as const;
const testData = (day: string) => fileURLToPath(new URL(`test-data/${day}.txt`, import.meta.url));

describe('logs imported by an earlier release', () => {
  it.each([
    ['2005-09-26', 1496, '4242cf95b92045c4ed4c37a61d864758a8bf9fe0dd433743d771edb54e391fc3'],
    ['2013-05-05', 1267, 'aee1fdef88bad906948d2af8e0ac5652c83ac80d280f3351d00a069bcb609163'],
  ])('yield the same commands as then, with the same ids, places, people and times: %s', async (day, count, digest) => {
    const { files } = await readOptions([testData(day), '--room', 'r']);
    const steps = files.flatMap((file) => planImport(file, [], importer).steps);
    const summaries = steps.map(({ line, place, occurredAt, account, command }) => {
      return { line, place, occurredAt, userId: account.userId, username: account.username, command };
    });
    expect(summaries).toHaveLength(count);
    expect(createHash('sha256').update(JSON.stringify(summaries)).digest('hex')).toBe(digest);
  });
});
