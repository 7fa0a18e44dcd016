import type { ReadSide } from '@verbatim/projections';
import type { Logger } from 'pino';

/** Begins rebuilds for those who do not wait for the end. One runs at a time, of all processes of the database. */
export class Rebuilds {
  constructor(
    private readonly side: ReadSide,
    private readonly log: Logger,
  ) {}

  /** Answers as soon as it is certain whether it has begun; false: another one is running. */
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
