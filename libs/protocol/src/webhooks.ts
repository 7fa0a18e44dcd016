import { z } from 'zod';
import { roomEventTypes, webhookStop } from './events.js';
import { changes, count, displayName, id, messageText, opaque, time, whole } from './fields.js';
import { listOf } from './lists.js';

// Outgoing ------------------------------------------------------------------------------------------------------------

const url = z
  .string()
  .max(2_000, 'must have at most 2000 characters')
  .refine(
    (text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol),
    'must be an address that begins with https://',
  )
  .describe('Where to send events. `https` only, and no private address, unless the operator allows others.');

/** Types of events that webhooks can send: what every member may know of. */
export const sendableEventTypes = roomEventTypes.filter(
  (type) => !['EventWithheld', 'MessageReported', 'ReportSettled', 'RoomInspected'].includes(type),
);

const sentTypes = z
  .array(z.enum(sendableEventTypes as [string, ...string[]]))
  .min(1, 'must name at least one type of event')
  .max(sendableEventTypes.length, 'must name each type once')
  .describe('Types of the events to send.');

const active = z.boolean().describe('False: nothing is sent, and what happens meanwhile is not sent later either.');

export const addWebhookBody = z
  .object({ url, events: sentTypes.default(['MessagePosted']), active: active.default(true) })
  .meta({ examples: [{ url: 'https://example.org/verbatim', events: ['MessagePosted', 'MessageRedacted'] }] });

export const changeWebhookBody = changes({ url, events: sentTypes, active });

const room = id.describe('The room.');
export const ofWebhook = z.object({ id: room, webhookId: id.describe('The webhook.') });

const deliveries = z.object({
  lastSuccessAt: time.nullable(),
  lastAttemptAt: time.nullable(),
  lastStatus: z.int().nullable().describe('HTTP status of the last attempt; null if there was no answer.'),
  lastError: z.string().nullable().describe('What was wrong with the last attempt; null if it succeeded.'),
  behind: count.describe('Events of the room that came after the last one that was sent or passed over.'),
  nextAttemptAt: time.nullable().describe('When an event that failed is sent again; null if none waits for that.'),
});

export const webhookSchema = z.object({
  id,
  roomId: id,
  url: z
    .string()
    .nullable()
    .describe('Without its query and its user information, which are not shown again. Null if it is lost.'),
  events: z.array(z.string()),
  active: z.boolean(),
  stopped: webhookStop.nullable(),
  owner: id.describe(
    'Who added or changed it last. It sends only while this person is an owner of the room or an administrator.',
  ),
  createdAt: time,
  deliveries,
});
export type Webhook = z.output<typeof webhookSchema>;

const signingSecret = z
  .string()
  .describe('Signs what is sent (HMAC-SHA-256, Standard Webhooks). Shown only now: `whsec_` and 32 bytes in base64.');
export const newWebhookSchema = webhookSchema.extend({ secret: signingSecret });
export type NewWebhook = z.output<typeof newWebhookSchema>;
export const rotatedSecretSchema = z.object({ secret: signingSecret });
export const webhookListSchema = listOf(webhookSchema);

// Incoming ------------------------------------------------------------------------------------------------------------

export const addIncomingWebhookBody = z
  .object({ name: displayName.describe('Display name of the bot that posts.') })
  .meta({ examples: [{ name: 'Build server' }] });

export const incomingWebhookSchema = z.object({
  id,
  roomId: id,
  name: z.string().nullable(),
  botId: id.describe('The account that posts. It was made for this webhook and is a member of the room.'),
  owner: id.describe('Who added it.'),
  createdAt: time,
});
export type IncomingWebhook = z.output<typeof incomingWebhookSchema>;
export const newIncomingWebhookSchema = incomingWebhookSchema.extend({
  path: z
    .string()
    .describe(
      '`/v1/hooks/...` of this service: anyone who knows it can post to the room. Shown only once; treat it like a password.',
    ),
});
export type NewIncomingWebhook = z.output<typeof newIncomingWebhookSchema>;
export const incomingWebhookListSchema = listOf(incomingWebhookSchema);

export const atHook = z.object({ token: opaque.describe('The secret at the end of the address.') });

export const postToHookBody = z
  .object({ text: messageText, id: id.optional().describe('Id of the message; repeated with it, it is posted once.') })
  .meta({ examples: [{ text: 'Build 512 is green.' }] });

export const postedSchema = z.object({ id, roomId: id, revision: whole(0) });
export type Posted = z.output<typeof postedSchema>;
