import { type Call, noHeaders, readHeaders, secretHeaders, writeHeaders } from './call.js';
import * as rooms from './rooms.js';
import * as webhooks from './webhooks.js';

const forGoverning = 'For owners of the room and administrators.';

/** What rooms send elsewhere, and addresses at which programs post to them. */
export const webhookCalls = {
  addWebhook: {
    method: 'POST',
    path: '/v1/rooms/{id}/webhooks',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'Add an outgoing webhook',
    description:
      `${forGoverning} Events from now on are sent in order, each by one \`POST\` as described under \`webhooks\`, until it is ` +
      'answered by a status of 200 to 299. The signing secret is shown in this answer and never again. A room has 20 at most: ' +
      '`conflict`. An address that may not be sent to is `invalid_request`.',
    params: rooms.inRoom,
    body: webhooks.addWebhookBody,
    answers: { 201: webhooks.newWebhookSchema },
    errors: ['invalid_request', 'not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: secretHeaders,
  },
  listWebhooks: {
    method: 'GET',
    path: '/v1/rooms/{id}/webhooks',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'List webhooks of a room',
    description: `${forGoverning} All on one page.`,
    params: rooms.inRoom,
    answers: { 200: webhooks.webhookListSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: readHeaders,
  },
  getWebhook: {
    method: 'GET',
    path: '/v1/rooms/{id}/webhooks/{webhookId}',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'Get a webhook and its delivery status',
    description: forGoverning,
    params: webhooks.ofWebhook,
    answers: { 200: webhooks.webhookSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: readHeaders,
  },
  changeWebhook: {
    method: 'PATCH',
    path: '/v1/rooms/{id}/webhooks/{webhookId}',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'Change, pause or resume a webhook',
    description:
      `${forGoverning} Whoever changes it becomes its owner. \`active: true\` continues where it stopped if it ` +
      'had failed, and otherwise with new events.',
    params: webhooks.ofWebhook,
    body: webhooks.changeWebhookBody,
    answers: { 200: webhooks.webhookSchema },
    errors: ['invalid_request', 'not_found', 'not_a_member', 'forbidden'],
    headers: writeHeaders,
  },
  removeWebhook: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/webhooks/{webhookId}',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'Remove a webhook',
    description: `${forGoverning} After the answer nothing more is sent, except deliveries already in progress.`,
    params: webhooks.ofWebhook,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: writeHeaders,
  },
  rotateWebhookSecret: {
    method: 'POST',
    path: '/v1/rooms/{id}/webhooks/{webhookId}/rotate-secret',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'Rotate the signing secret of a webhook',
    description: `${forGoverning} Everything sent from now on is signed with the new one.`,
    params: webhooks.ofWebhook,
    answers: { 200: webhooks.rotatedSecretSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: secretHeaders,
  },
  addIncomingWebhook: {
    method: 'POST',
    path: '/v1/rooms/{id}/incoming-webhooks',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'Add an incoming webhook',
    description:
      `${forGoverning} A bot with this name joins the room and is the author of what is posted. It ends ` +
      'with the webhook. The URL is shown only in this answer. A room can have 20, a person 100 in all rooms ' +
      '(`conflict`), and create 100 a day (`rate_limited`) and 1,000 in total (`conflict`). The name must differ from those of people ' +
      'and other webhooks of the room (`name_taken`).',
    params: rooms.inRoom,
    body: webhooks.addIncomingWebhookBody,
    answers: { 201: webhooks.newIncomingWebhookSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict', 'name_taken'],
    headers: secretHeaders,
  },
  listIncomingWebhooks: {
    method: 'GET',
    path: '/v1/rooms/{id}/incoming-webhooks',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'List incoming webhooks of a room',
    description: `${forGoverning} All on one page.`,
    params: rooms.inRoom,
    answers: { 200: webhooks.incomingWebhookListSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: readHeaders,
  },
  removeIncomingWebhook: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/incoming-webhooks/{webhookId}',
    tag: 'Webhooks',
    auth: 'user',
    scope: 'manage',
    summary: 'Remove an incoming webhook',
    description: `${forGoverning} Its bot leaves the room permanently; its messages stay.`,
    params: webhooks.ofWebhook,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: writeHeaders,
  },
  postToHook: {
    method: 'POST',
    path: '/v1/hooks/{token}',
    tag: 'Webhooks',
    auth: 'none',
    summary: 'Post to a room as the bot of an incoming webhook',
    description:
      'Needs no credential except the URL itself. 200, with the first result, for a message that was posted before with ' +
      'the same `id` and text. An address that was removed is `not_found`.',
    params: webhooks.atHook,
    body: webhooks.postToHookBody,
    answers: { 201: webhooks.postedSchema, 200: webhooks.postedSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'duplicate_id'],
    headers: noHeaders,
  },
} as const satisfies Record<string, Call>;
