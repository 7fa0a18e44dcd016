import { readFile } from 'node:fs/promises';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from '../command.js';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>;

/** Reads the words of a command; wrong ones are a UsageError. */
export function parsed<T extends Options>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} (see --help)`);
  }
}

/** The folder that a command names. */
export function folderIn(positionals: readonly string[]): string {
  const [folder] = positionals;
  if (folder === undefined || positionals.length > 1) throw new UsageError('Name one folder (see --help).');
  if (/^[a-z0-9]+:\/\//i.test(folder))
    throw new UsageError(
      'Backups are folders: back up into one, and copy it to where you keep backups, such as with rclone or aws s3 sync.',
    );
  return folder;
}

/** The identities in a file as `age-keygen` writes it; none if no file is named. */
export async function identitiesIn(file: string | undefined): Promise<string[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`The file ${file} cannot be read.`);
  });
  const identities = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  if (identities.length === 0 || identities.some((line) => !/^AGE-SECRET-KEY-/.test(line)))
    throw new UsageError(
      `${file} must hold identities of age (AGE-SECRET-KEY-1...), one a line, such as age-keygen makes.`,
    );
  return identities;
}

/** What `--at` names: a position, or a time. */
export function placeIn(at: string | undefined): bigint | Date | null {
  if (at === undefined) return null;
  if (/^\d{1,19}$/.test(at)) return BigInt(at);
  const time = new Date(at);
  if (!/^\d{4}-\d{2}-\d{2}T/.test(at) || Number.isNaN(time.getTime()))
    throw new UsageError('--at must be a position, or a time such as 2026-01-31T14:00:00Z.');
  return time;
}
