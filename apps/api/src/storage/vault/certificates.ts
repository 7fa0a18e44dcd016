import type { KeyRing } from '@verbatim/event-store';
import { encodeVerifierKey, type SigningKey, signingKey, signNote } from '@verbatim/transparency';

/** Signs statements of the service, such as what was erased. */
export interface CertificateSigner {
  /** A signed note (c2sp.org/signed-note) of a text that ends in a newline. */
  sign(text: string): string;
  /** The verifier key of its signatures. */
  readonly verifierKey: string;
  /** The first part of the key's name. */
  readonly origin: string;
}

/** Signs with a key of the vault, which is made when it is first needed. Its name is `<origin>/certificates`. */
export class VaultCertificateSigner implements CertificateSigner {
  private constructor(
    readonly origin: string,
    private readonly key: SigningKey,
  ) {}

  static async open(keys: KeyRing, origin: string): Promise<VaultCertificateSigner> {
    const name = `signing|${origin}/certificates`;
    const seed = (await keys.obtain([name])).get(name);
    if (!seed) throw new Error(`There is no key ${name}.`);
    return new VaultCertificateSigner(origin, signingKey(`${origin}/certificates`, 'ed25519', seed));
  }

  get verifierKey(): string {
    return encodeVerifierKey(this.key);
  }

  sign(text: string): string {
    return signNote(text, [this.key]);
  }
}
