import { ReadSide } from '@verbatim/projections';
import { Contributions, type Sweep } from '../../composition/contributions.js';
import { unit } from '../../host/part.js';
import { LOG } from '../../storage/tokens.js';

const INTERVAL_MS = 10 * 60_000;

/** Deletes expired data, every ten minutes. */
export const sweepsUnit = unit({
  name: 'sweeps',
  open(application) {
    const [contributions, log] = [application.get(Contributions), application.get(LOG)];
    const run = (sweep: Sweep) =>
      sweep.run().catch((error: unknown) => log.warn({ err: error, sweep: sweep.name }, 'a sweep failed'));
    let timer: NodeJS.Timeout | undefined;
    return {
      start() {
        const sweeps = contributions.sweeps();
        timer = setInterval(() => void Promise.all(sweeps.map(run)), INTERVAL_MS);
        const atStart = sweeps.filter((sweep) => sweep.atStart);
        void application
          .get(ReadSide)
          .caughtUp()
          .then(() => Promise.all(atStart.map(run)));
      },
      drain: () => clearInterval(timer),
    };
  },
});
