import { createHmac } from 'node:crypto';
import { type KeyRing, openText, sealText } from '@verbatim/event-store';

/** What is looked up by a text that the database must not contain. */
export type Looked =
  | 'user'
  | 'room'
  | 'identity'
  | 'account'
  | 'address'
  | 'proof'
  | 'registration'
  | 'guest'
  | 'phone'
  | 'mailbox';

const HASH_KEY = 'name-hashes';
const SEAL_KEY = 'usernames';
/** In capitals, which name keys never have, so that a plain-text key is never mistaken for a hash. */
const MARK = 'HMAC:';

/**
 * Keeps names out of the database: lookups use a keyed hash, so that a copy of the database can be neither read nor searched
 * by guessing. Usernames are sealed beside it. The keys are in the key ring.
 */
export class NameCipher {
  private constructor(
    private readonly hashKey: Buffer,
    private readonly sealKey: Buffer,
  ) {}

  static async open(ring: KeyRing): Promise<NameCipher> {
    const keys = await ring.obtain([HASH_KEY, SEAL_KEY]);
    const [hashKey, sealKey] = [keys.get(HASH_KEY), keys.get(SEAL_KEY)];
    if (!hashKey || !sealKey) throw new Error('The keys for names are missing from the vault.');
    return new NameCipher(hashKey, sealKey);
  }

  /** HMAC-SHA-256 of the text, different for each kind. */
  hash(kind: Looked, text: string): string {
    return MARK + createHmac('sha256', this.hashKey).update(`${kind} ${text}`).digest('base64url');
  }

  isHash(text: string): boolean {
    return text.startsWith(MARK);
  }

  sealUsername(username: string, owner: string): string {
    return sealText(username, this.sealKey, owner);
  }

  openUsername(sealed: string, owner: string): string | null {
    return openText(sealed, this.sealKey, owner);
  }
}
