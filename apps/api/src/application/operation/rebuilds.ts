import type { ReadSide } from '@verbatim/projections';
import type { Logger } from 'pino';

/** Starts rebuilds without waiting for the end. Only one runs at a time per database. */
export class Rebuilds {
  constructor(
    private readonly side: ReadSide,
    private readonly log: Logger,
  ) {}

  /** Resolves once it is certain whether it started; false: another one is running. */
  begin(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const ended = this.side.rebuild(() => resolve(true));
      ended
        .then(({ outcome }) => resolve(outcome === 'switched'))
        .catch((error: unknown) => {
          this.log.warn({ err: error }, 'a rebuild of the read models has failed');
          reject(error);
        });
    });
  }
}
