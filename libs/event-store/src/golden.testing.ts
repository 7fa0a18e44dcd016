import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** What a stored form looked like when its version was last raised. */
interface Golden {
  readonly version: string;
  readonly content: unknown;
}

/**
 * Compares `content` with a golden file. It may differ only under a new `version`; only then does UPDATE_GOLDEN=1 rewrite
 * the file. `raise` names the version and where it is.
 */
export async function expectGolden(file: URL, version: string, content: unknown, raise: string): Promise<void> {
  const golden = await readGolden(file);
  const now: Golden = { version, content: JSON.parse(JSON.stringify(content)) };
  const command = 'run the test again with UPDATE_GOLDEN=1';
  if (golden?.version === version) {
    expect(
      now.content,
      `The stored form differs from that of version ${version}. Raise ${raise}, then ${command}.`,
    ).toEqual(golden.content);
  } else if (process.env.UPDATE_GOLDEN === '1') {
    await mkdir(new URL('.', file), { recursive: true });
    await writeFile(file, `${JSON.stringify(now, null, 1)}\n`);
  } else {
    expect.fail(
      `The version is ${version}, that of the golden file ${golden?.version ?? 'missing'}. If this is intended, ${command}.`,
    );
  }
}

async function readGolden(file: URL): Promise<Golden | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Golden);
}
