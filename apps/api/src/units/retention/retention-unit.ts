import { CommandBus } from '@nestjs/cqrs';
import { ReadSide } from '@verbatim/projections';
import { z } from 'zod';
import { ApplyRetentionCommand } from '../../application/retention/retention-handlers.js';
import { unit } from '../../host/part.js';
import { LOG } from '../../storage/tokens.js';

/** How often to look for expired texts, in seconds. */
const settings = {
  RETENTION_INTERVAL: z.preprocess(
    (value) => (value === '' ? undefined : value),
    z.coerce.number().int().min(1).max(86_400).default(60),
  ),
};

/** Applies the retention rules, a few rooms at a time. */
export const retentionUnit = unit({
  name: 'retention',
  settings,
  open(application, _, { RETENTION_INTERVAL }) {
    const [commands, log] = [application.get(CommandBus), application.get(LOG)];
    let timer: NodeJS.Timeout | undefined;
    let stepping = Promise.resolve();
    let over = false;
    const step = async () => {
      await commands
        .execute(new ApplyRetentionCommand())
        .catch((error: unknown) =>
          log.warn({ err: error }, 'Looking for expired texts failed; it will be retried later.'),
        );
      if (!over) timer = setTimeout(next, RETENTION_INTERVAL * 1_000);
    };
    const next = () => {
      stepping = step();
    };
    return {
      start() {
        // What is due depends on the state of rooms, for which the read models are queried first.
        void application
          .get(ReadSide)
          .caughtUp()
          .then(() => {
            if (!over) next();
          });
      },
      async drain() {
        over = true;
        clearTimeout(timer);
        await stepping;
      },
    };
  },
});
