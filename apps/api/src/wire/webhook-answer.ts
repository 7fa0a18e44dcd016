import type { IncomingWebhook, Webhook } from '@verbatim/protocol';
import type { IncomingWebhookDetails, WebhookDetails } from '../application/webhooks/webhook-queries.js';

export const webhookAnswer = ({ id, roomId, webhook, url, delivery, behind }: WebhookDetails): Webhook => ({
  id,
  roomId,
  url,
  events: [...webhook.events],
  active: webhook.stopped === null,
  stopped: webhook.stopped,
  owner: webhook.by,
  createdAt: webhook.createdAt,
  deliveries: {
    lastSuccessAt: delivery?.lastSuccessAt?.toISOString() ?? null,
    lastAttemptAt: delivery?.lastAttemptAt?.toISOString() ?? null,
    lastStatus: delivery?.lastStatus ?? null,
    lastError: delivery?.lastError ?? null,
    behind,
    nextAttemptAt: delivery?.nextAttemptAt?.toISOString() ?? null,
  },
});

export const incomingWebhookAnswer = ({ id, roomId, webhook }: IncomingWebhookDetails): IncomingWebhook => ({
  id,
  roomId,
  name: webhook.name,
  botId: webhook.botId,
  owner: webhook.by,
  createdAt: webhook.createdAt,
});
