import { Global, Module } from '@nestjs/common';
import { Sweep } from '../../composition/contributions.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import { incomingCommandHandlers } from './incoming-commands.js';
import { WebhookAddressPolicy } from './webhook-address-policy.js';
import { WebhookBots } from './webhook-bots.js';
import { webhookCommandHandlers } from './webhook-commands.js';
import { webhookQueryHandlers } from './webhook-queries.js';

const providers = [
  ...webhookCommandHandlers,
  ...webhookQueryHandlers,
  ...incomingCommandHandlers,
  WebhookBots,
  {
    provide: WebhookAddressPolicy,
    useFactory: ({ WEBHOOK_ALLOW_PRIVATE }: Config) => new WebhookAddressPolicy(WEBHOOK_ALLOW_PRIVATE === 'on'),
    inject: [CONFIG],
  },
  {
    provide: Symbol('sweep of bots'),
    useFactory: (bots: WebhookBots) => new Sweep('bots of webhooks', () => bots.sweep(), true),
    inject: [WebhookBots],
  },
];

/** Webhooks of both kinds. Delivery is a unit of its own. */
@Global()
@Module({ providers, exports: providers })
export class WebhooksModule {}
