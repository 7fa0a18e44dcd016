import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalMasterKey, type MasterKey, type RootKeysOptions } from '@verbatim/event-store';
import type { MasterKeySettings } from './master-key-settings.js';
import { readTransitUrl, TransitMasterKey } from './transit-master-key.js';

type Settings = MasterKeySettings & { readonly VERBATIM_DATA: string };

/**
 * The configured master key and its predecessor: 32 bytes from the environment or a file, or a key on a key server. Without
 * a setting it is in a file in the data folder, created at the first start. Replicas that do not share the folder need a
 * setting.
 */
export async function masterKeys(settings: Settings): Promise<RootKeysOptions> {
  const { MASTER_KEY, MASTER_KEY_BEFORE, KMS_HOLD_MINUTES, VERBATIM_DATA } = settings;
  return {
    master: MASTER_KEY ? await namedKey(MASTER_KEY, 'MASTER_KEY', settings) : await madeKey(VERBATIM_DATA),
    before: MASTER_KEY_BEFORE ? await namedKey(MASTER_KEY_BEFORE, 'MASTER_KEY_BEFORE', settings) : null,
    holdMs: isTransit(MASTER_KEY) ? KMS_HOLD_MINUTES * 60_000 : undefined,
  };
}

/** The same without creating one; null if there is none. */
export async function givenMasterKeys(settings: Settings): Promise<RootKeysOptions | null> {
  return settings.MASTER_KEY || existsSync(fileIn(settings.VERBATIM_DATA)) ? masterKeys(settings) : null;
}

async function namedKey(text: string, setting: string, settings: Settings): Promise<MasterKey> {
  if (isTransit(text)) return new TransitMasterKey(readTransitUrl(text), settings);
  if (text === 'file') return keyIn(fileIn(settings.VERBATIM_DATA));
  if (text.startsWith('file:')) return keyIn(text.slice('file:'.length));
  return new LocalMasterKey(Buffer.from(text, 'base64'), `the key in ${setting}`);
}

const isTransit = (text: string | undefined): boolean => text?.startsWith('transit+') ?? false;

async function madeKey(folder: string): Promise<MasterKey> {
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

const fileIn = (folder: string): string => join(folder, 'master.key');

async function keyIn(file: string): Promise<MasterKey> {
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  if (key.length !== 32) throw new Error(`${file} does not hold a master key of 32 bytes.`);
  return new LocalMasterKey(key, `the key in ${file}`);
}
