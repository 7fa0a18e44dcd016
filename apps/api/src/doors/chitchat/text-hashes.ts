import { createHmac } from 'node:crypto';
import type { KeyRing } from '@verbatim/event-store';

const KEY = 'chitchat-hashes';

/** Keyed hashes of titles and names, so that the tables of this door contain none of them in plain form. */
export class TextHashes {
  private constructor(private readonly key: Buffer) {}

  static async open(keys: KeyRing): Promise<TextHashes> {
    const key = (await keys.obtain([KEY])).get(KEY);
    if (!key) throw new Error(`There is no key ${KEY}.`);
    return new TextHashes(key);
  }

  of(kind: 'title' | 'name', text: string): string {
    return createHmac('sha256', this.key).update(`${kind} ${text}`).digest('base64url');
  }
}
