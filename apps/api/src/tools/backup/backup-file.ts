import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { Decrypter, Encrypter } from 'age-encryption';
import { type BackupPlace, MissingFile, PlaceUnavailable } from './backup-place.js';

/** A file of a backup: gzip, and around it age (age-encryption.org/v1) unless the backup is plain. */
export interface BackupFile {
  /** Path in the backup, with `/`. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the file as it is, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Something in a backup is not as it was written; the message is a sentence that names it. */
export class BrokenBackup extends Error {
  constructor(
    readonly file: string,
    readonly fault: string,
  ) {
    super(`${file} is broken: ${fault}.`);
    this.name = 'BrokenBackup';
  }
}

/** The backup is of no use here, or not with these arguments; the message is a sentence for the operator. */
export class BackupRefused extends Error {}

/** Ends the name of a file by what is around its content. */
export const nameOf = (file: string, recipients: readonly string[]): string =>
  `${file}.gz${recipients.length > 0 ? '.age' : ''}`;

/**
 * Writes content to a file, compressed, and encrypted for the recipients (`age1...`) if there are any. Memory does not
 * grow with the content.
 */
export async function writeBackupFile(
  place: BackupPlace,
  file: string,
  content: AsyncIterable<Uint8Array | string>,
  recipients: readonly string[],
): Promise<BackupFile> {
  const [hash, encrypter] = [createHash('sha256'), encrypterFor(recipients)];
  let bytes = 0;
  async function* encrypted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    yield* encrypter ? await encrypter.encrypt(webStreamOf(chunks)) : chunks;
  }
  async function* counted(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const write = (chunks: AsyncIterable<Uint8Array>) => place.write(file, chunks);
  await pipeline(Readable.from(content), createGzip(), encrypted, counted, write);
  return { file, bytes, sha256: hash.digest('hex') };
}

function encrypterFor(recipients: readonly string[]): Encrypter | null {
  if (recipients.length === 0) return null;
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter;
}

/** Whether age can encrypt for it. */
export function isRecipient(text: string): boolean {
  try {
    new Encrypter().addRecipient(text);
    return true;
  } catch {
    return false;
  }
}

/** Opens files of backups, with the identities (`AGE-SECRET-KEY-1...`) of one of their recipients. */
export class BackupReader {
  constructor(
    private readonly place: BackupPlace,
    private readonly identities: readonly string[],
  ) {}

  /** Throws BrokenBackup if a file is missing or is not the one that was written. */
  async check({ file, bytes, sha256 }: BackupFile): Promise<void> {
    const hash = createHash('sha256');
    let found = 0;
    try {
      for await (const chunk of this.place.read(file)) {
        hash.update(chunk);
        found += chunk.length;
      }
    } catch (error) {
      if (!(error instanceof MissingFile)) throw error;
      throw new BrokenBackup(file, 'it is missing');
    }
    if (found !== bytes) throw new BrokenBackup(file, `it has ${found} bytes instead of ${bytes}`);
    if (hash.digest('hex') !== sha256) throw new BrokenBackup(file, 'its content does not have its digest');
  }

  /** The content that was written. Throws BackupRefused if no identity fits, BrokenBackup if the content cannot be read. */
  async *contentOf({ file }: BackupFile): AsyncGenerator<Buffer> {
    const source = Readable.from(this.place.read(file), { objectMode: false });
    const opened = file.endsWith('.age') ? Readable.from(await this.decrypted(source, file)) : source;
    const content = createGunzip();
    const reading = pipeline(opened, content);
    reading.catch(() => undefined);
    try {
      yield* content as AsyncIterable<Buffer>;
      await reading;
    } catch (error) {
      if (error instanceof PlaceUnavailable) throw error;
      throw new BrokenBackup(file, `its content cannot be read (${(error as Error).message})`);
    } finally {
      source.destroy();
      content.destroy();
    }
  }

  private async decrypted(source: AsyncIterable<Uint8Array>, file: string): Promise<AsyncIterable<Uint8Array>> {
    if (this.identities.length === 0)
      throw new BackupRefused('The backup is encrypted: name the --identity to open it with.');
    const decrypter = new Decrypter();
    for (const identity of this.identities) decrypter.addIdentity(identity);
    try {
      return await decrypter.decrypt(webStreamOf(source));
    } catch (error) {
      if (error instanceof PlaceUnavailable) throw error;
      const { message } = error as Error;
      if (/identity|identities/.test(message)) throw new BackupRefused('The backup is encrypted for another identity.');
      throw new BrokenBackup(file, `it cannot be decrypted (${message})`);
    }
  }
}

/** A stream of the web that reads no further than it is asked. */
function webStreamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await iterator.return?.();
      },
    },
    { highWaterMark: 0 },
  );
}
