import { CommandBus } from '@nestjs/cqrs';
import { WebhookAddressPolicy } from '../../application/webhooks/webhook-address-policy.js';
import { Time } from '../../clock.js';
import { FeedSink, Figure } from '../../composition/contributions.js';
import { type Application, unit } from '../../host/part.js';
import { WebhookDeliveries } from '../../storage/desk/webhook-deliveries.js';
import { Directory } from '../../storage/directory.js';
import { OpenLog } from '../../storage/open-log.js';
import { ReadModels } from '../../storage/read-models.js';
import { DIRECT_SQL, LOG } from '../../storage/tokens.js';
import { WebhookSecrets } from '../../storage/vault/webhook-secrets.js';
import { Rooms, Users } from '../../write-side/entities.js';
import type { Resolve } from './address.js';
import { Receivers } from './receivers.js';
import { WebhookRunner } from './webhook-runner.js';

/** Resolves the addresses of receivers instead of the system: `Resolve`. */
export const RESOLVE = Symbol('resolve');

const resolveOf = (application: Application): Resolve | undefined => {
  try {
    return application.get<Resolve>(RESOLVE, { strict: false });
  } catch {
    return undefined;
  }
};

/** Sends the events of rooms to their webhooks. Without it, they wait. */
export const webhooksUnit = unit({
  name: 'webhooks',
  open(application) {
    const runner = new WebhookRunner(application.get(DIRECT_SQL), {
      rooms: application.get(Rooms),
      users: application.get(Users),
      openLog: application.get(OpenLog),
      readModels: application.get(ReadModels),
      directory: application.get(Directory),
      receivers: new Receivers(application.get(WebhookAddressPolicy), resolveOf(application)),
      commands: application.get(CommandBus),
      secrets: application.get(WebhookSecrets),
      deliveries: application.get(WebhookDeliveries),
      clock: application.get(Time).now,
      log: application.get(LOG),
    });
    return {
      start: () => runner.start(),
      close: () => runner.stop(),
      sinks: [new FeedSink('webhooks', 'others', (events) => runner.handle(events))],
      figures: [
        new Figure('verbatim_webhooks_sending', 'Whether this process sends the events to webhooks.', () =>
          Number(runner.sending),
        ),
      ],
    };
  },
});
