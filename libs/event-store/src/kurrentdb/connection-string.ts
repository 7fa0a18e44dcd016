/** A connection string says what would make the client break the promises of an event store. */
export class UnsafeConnection extends Error {
  constructor(option: string, reason: string) {
    super(`Take ${option} out of the connection string of KurrentDB: ${reason}.`);
    this.name = 'UnsafeConnection';
  }
}

/** Options by their names without case, hyphens and underscores, which the client ignores. */
const unsafe: Readonly<Record<string, string>> = {
  throwonappendfailure: 'without it, the client tells wrong revisions of appends that were refused',
  gossiptimeout: 'one half of the client takes it for seconds, the other half for milliseconds',
};

/** Throws UnsafeConnection for options that must not be set. All others are the operator's choice. */
export function refuseUnsafe(url: string): void {
  for (const [, option = ''] of url.matchAll(/[?&]([^=&]+)=/g)) {
    const reason = unsafe[option.toLowerCase().replace(/[-_]/g, '')];
    if (reason) throw new UnsafeConnection(option, reason);
  }
}
