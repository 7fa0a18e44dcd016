import { createHash } from 'node:crypto';
import { openText, sealText } from './envelope.js';

/**
 * The key outside the database, in a file or in a key management service, without which nothing in the database can be read. It
 * wraps root keys only, so it is asked when a process starts, and now and then afterwards.
 */
export interface MasterKey {
  /** Which key it is: the same for every process that uses it, and different from other keys. No secret. */
  readonly name: string;
  /** As operators know it, in the middle of a sentence: `the key verbatim of the key server at bao.example.org:8200`. */
  readonly description: string;
  /**
   * Wraps 32 bytes; only with the same `label` they are unwrapped.
   * @throws MasterKeyUnavailable
   */
  wrap(key: Buffer, label: string): Promise<string>;
  /**
   * Null if it is not this key that wrapped it, or not with this label.
   * @throws MasterKeyUnavailable
   */
  unwrap(wrapped: string, label: string): Promise<Buffer | null>;
  /** The version of the key that wrapped it, where the key has versions. */
  versionOf(wrapped: string): string | null;
}

/** The master key cannot be used at the moment. The message is a sentence for operators. */
export class MasterKeyUnavailable extends Error {
  constructor(
    /** The beginning of a sentence: `The key server at https://bao.example.org:8200`. */
    readonly server: string,
    readonly problem: string,
    /** What an operator can do about it, as the end of a sentence. */
    readonly advice: string,
    options?: ErrorOptions,
  ) {
    super(`${server} cannot be used: ${problem}.`, options);
    this.name = 'MasterKeyUnavailable';
  }
}

/** The vault was set up with another master key. */
export class WrongMasterKey extends Error {}

/** A master key that this process has itself: 32 bytes from a file or the environment. */
export class LocalMasterKey implements MasterKey {
  readonly name: string;

  constructor(
    readonly bytes: Buffer,
    readonly description = 'the master key',
  ) {
    this.name = `local:${createHash('sha256').update('verbatim master key').update(bytes).digest('hex').slice(0, 16)}`;
  }

  async wrap(key: Buffer, label: string): Promise<string> {
    return sealText(key.toString('base64'), this.bytes, label);
  }

  async unwrap(wrapped: string, label: string): Promise<Buffer | null> {
    const text = openText(wrapped, this.bytes, label);
    return text === null ? null : Buffer.from(text, 'base64');
  }

  versionOf(): null {
    return null;
  }
}
