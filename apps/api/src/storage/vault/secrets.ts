import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The master key that wraps all keys in the vault: 32 bytes from MASTER_KEY, or from a file in the data folder that is
 * created at the first start. Replicas that do not share the folder need the same MASTER_KEY.
 */
export async function masterKey(folder: string, fromEnvironment: string | undefined): Promise<Buffer> {
  if (fromEnvironment) return Buffer.from(fromEnvironment, 'base64');
  const file = fileIn(folder);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // Written to a draft and linked, so that the file is never seen incomplete and the first of two starts wins.
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, randomBytes(32).toString('base64'), { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await unlink(draft);
  }
  return keyIn(file);
}

/** The same without making one; null where there is none. */
export async function givenMasterKey(folder: string, fromEnvironment: string | undefined): Promise<Buffer | null> {
  if (fromEnvironment) return Buffer.from(fromEnvironment, 'base64');
  return existsSync(fileIn(folder)) ? keyIn(fileIn(folder)) : null;
}

const fileIn = (folder: string): string => join(folder, 'master.key');

async function keyIn(file: string): Promise<Buffer> {
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  if (key.length !== 32) throw new Error(`${file} does not hold a master key of 32 bytes.`);
  return key;
}
