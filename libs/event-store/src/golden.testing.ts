import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';

/** What a stored form looked like when its version was last raised. */
interface Golden {
  readonly version: string;
  readonly content: unknown;
}

/**
 * Compares `content` with a golden file. It may differ only under another `version`, and the file follows only then, with
 * UPDATE_GOLDEN=1. `raise` says which version has to be raised, and where.
 */
export async function expectGolden(file: URL, version: string, content: unknown, raise: string): Promise<void> {
  const golden = await readGolden(file);
  const now: Golden = { version, content: JSON.parse(JSON.stringify(content)) };
  const command = 'run the test again with UPDATE_GOLDEN=1';
  if (golden?.version === version) {
    expect(
      now.content,
      `This is stored differently than under version ${version}. Raise ${raise}, then ${command}.`,
    ).toEqual(golden.content);
  } else if (process.env.UPDATE_GOLDEN === '1') {
    await writeFile(file, `${JSON.stringify(now, null, 1)}\n`);
  } else {
    expect.fail(
      `The version is now ${version}, and the golden file has ${golden?.version ?? 'not been written'}: ${command}.`,
    );
  }
}

async function readGolden(file: URL): Promise<Golden | null> {
  const text = await readFile(file, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as Golden);
}
