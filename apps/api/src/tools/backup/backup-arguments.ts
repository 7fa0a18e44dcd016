import { readFile } from 'node:fs/promises';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from '../command.js';
import type { BackupPlace } from './backup-place.js';

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

/** The place of the backup that a command names. */
export async function placeIn(positionals: readonly string[]): Promise<BackupPlace> {
  const [name] = positionals;
  if (name === undefined || positionals.length > 1)
    throw new UsageError('Name one folder, or one s3://bucket/prefix (see --help).');
  if (/^[a-z0-9]+:\/\//i.test(name) && !name.startsWith('s3://'))
    throw new UsageError('A backup is in a folder, or in s3://bucket/prefix.');
  return placeNamed(name);
}

export const aboutPlaces = `The place of a backup is a folder, or s3://bucket/prefix in a store that speaks the protocol of Amazon S3. Its address and credentials
are in the variables of AWS's tools: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, and AWS_ENDPOINT_URL_S3 if it is not Amazon's.`;

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
export function limitIn(at: string | undefined): bigint | Date | null {
  if (at === undefined) return null;
  if (/^\d{1,19}$/.test(at)) return BigInt(at);
  const time = new Date(at);
  if (!/^\d{4}-\d{2}-\d{2}T/.test(at) || Number.isNaN(time.getTime()))
    throw new UsageError('--at must be a position, or a time such as 2026-01-31T14:00:00Z.');
  return time;
}

/** The place that an operator names: a folder, or `s3://bucket/prefix`, whose client is loaded only then. */
async function placeNamed(name: string): Promise<BackupPlace> {
  if (name.startsWith('s3://')) return (await import('./s3-place.js')).openS3(name);
  const { FolderPlace } = await import('./folder-place.js');
  return new FolderPlace(name);
}
