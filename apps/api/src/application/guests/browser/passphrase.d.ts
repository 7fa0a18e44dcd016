/** User and password of a broker, derived from a passphrase. */
export interface Credentials {
  readonly login: string;
  readonly password: string;
}

export function deriveCredentials(passphrase: string): Credentials | null;
