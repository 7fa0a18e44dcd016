import { type Credentials, encodeCredentials, readServerUrl } from '../server-url.js';

/** A connection string says what would make the client break the promises of an event store. */
export class UnsafeConnection extends Error {
  constructor(option: string, reason: string) {
    super(`Take ${option} out of the connection string of KurrentDB: ${reason}.`);
    this.name = 'UnsafeConnection';
  }
}

/**
 * A connection string and the credentials in it, for the two halves of the client. Its JavaScript half decodes those in
 * the string and appends with them. Its native half, which reads, takes them as they stand there, so every read has to
 * bring them along. Appends must not: the client would send each as a call of its own.
 */
export interface Connection {
  /** With the credentials encoded so that no character in them can be taken for anything else. */
  readonly url: string;
  readonly credentials: Credentials | null;
}

export function readConnection(url: string): Connection {
  return { url: encodeCredentials(url), credentials: readServerUrl(url).credentials };
}

/** Options by their names without case, hyphens and underscores, which the client ignores. */
const unsafe: Readonly<Record<string, string>> = {
  throwonappendfailure: 'without it, the client reports wrong revisions for refused appends',
  gossiptimeout: 'one half of the client takes it for seconds, the other half for milliseconds',
};

/** Options that the client knows. It would warn of any other by printing the whole connection string. */
const known: ReadonlySet<string> = new Set([
  ...['usercertfile', 'userkeyfile', 'maxdiscoverattempts', 'connectionname', 'defaultdeadline', 'discoveryinterval'],
  ...['nodepreference', 'tls', 'tlsverifycert', 'tlscafile', 'keepaliveinterval', 'keepalivetimeout'],
]);

/** Throws UnsafeConnection for options that must not be set, and for unknown ones. All others are the operator's choice. */
export function refuseUnsafe(url: string): void {
  for (const [, option = ''] of readServerUrl(url).rest.matchAll(/[?&]([^=&]+)=/g)) {
    const name = option.toLowerCase().replace(/[-_]/g, '');
    const reason = unsafe[name] ?? (known.has(name) ? undefined : 'there is no such option');
    if (reason) throw new UnsafeConnection(option, reason);
  }
}
