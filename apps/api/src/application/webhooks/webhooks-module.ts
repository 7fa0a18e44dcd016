import { Global, Module } from '@nestjs/common';
import { Sweep } from '../../composition/contributions.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import type { Resolve } from '../../units/webhooks/address.js';
import { Receivers } from '../../units/webhooks/receivers.js';
import { incomingCommandHandlers } from './incoming-commands.js';
import { WebhookBots } from './webhook-bots.js';
import { webhookCommandHandlers } from './webhook-commands.js';

/** Finds the addresses of receivers in place of the system: `Resolve`. */
export const RESOLVE = Symbol('resolve');

const providers = [
  ...webhookCommandHandlers,
  ...incomingCommandHandlers,
  WebhookBots,
  {
    provide: Receivers,
    useFactory: ({ WEBHOOK_ALLOW_PRIVATE }: Config, resolve?: Resolve) =>
      new Receivers(WEBHOOK_ALLOW_PRIVATE === 'on', resolve),
    inject: [CONFIG, { token: RESOLVE, optional: true }],
  },
  {
    provide: Symbol('sweep of bots'),
    useFactory: (bots: WebhookBots) => new Sweep('bots of webhooks', () => bots.sweep(), true),
    inject: [WebhookBots],
  },
];

/** Webhooks of both kinds. What sends to them is a unit of its own. */
@Global()
@Module({ providers, exports: providers })
export class WebhooksModule {}
