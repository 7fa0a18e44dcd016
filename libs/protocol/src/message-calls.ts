import { mostReactions } from '@verbatim/domain';
import { type Call, inspectionHeaders, readHeaders, writeHeaders } from './call.js';
import * as messages from './messages.js';
import * as rooms from './rooms.js';

/** What is said in rooms. */
export const messageCalls = {
  postMessage: {
    method: 'POST',
    path: '/v1/rooms/{id}/messages',
    tag: 'Messages',
    auth: 'user',
    scope: 'post',
    spends: 'posts',
    summary: 'Post a message',
    description:
      'Choose the `id` yourself and repeat the request with it as often as needed: the message is posted once. 201 for ' +
      'the first time; 200 with the first result when the same content comes again; `duplicate_id` for other content. In slow mode, members who post too soon are ' +
      '`rate_limited`, with the time to wait.',
    params: rooms.inRoom,
    body: messages.postMessageBody,
    answers: { 201: messages.messageSchema, 200: messages.messageSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'duplicate_id'],
    headers: writeHeaders,
  },
  listMessages: {
    method: 'GET',
    path: '/v1/rooms/{id}/messages',
    tag: 'Messages',
    auth: 'user',
    scope: 'read',
    summary: 'List messages',
    description:
      'In the order in which they were posted, from either end, from a revision or from a time. Redacted messages are in the list, ' +
      'without their text.',
    params: rooms.inRoom,
    query: messages.messagesQuery,
    answers: { 200: messages.messageListSchema },
    errors: ['not_found', 'not_a_member', 'reason_required'],
    headers: inspectionHeaders,
  },
  editMessage: {
    method: 'PATCH',
    path: '/v1/rooms/{id}/messages/{messageId}',
    tag: 'Messages',
    auth: 'user',
    scope: 'post',
    spends: 'posts',
    summary: 'Edit a message',
    description: 'For its author only. A redacted message cannot be edited: `conflict`.',
    params: messages.ofMessage,
    body: messages.editMessageBody,
    answers: { 200: messages.messageSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: writeHeaders,
  },
  redactMessage: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/messages/{messageId}',
    tag: 'Messages',
    auth: 'user',
    scope: 'post',
    spends: 'posts',
    summary: 'Redact a message',
    description:
      'Removes the text for all readers and leaves a placeholder. For its author, moderators and owners of ' +
      'the room, and administrators. Redacting a redacted message changes nothing.',
    params: messages.ofMessage,
    body: messages.redactMessageBody.prefault({}),
    answers: { 200: messages.messageSchema },
    errors: ['not_found', 'not_a_member', 'forbidden'],
    headers: writeHeaders,
  },
  addReaction: {
    method: 'PUT',
    path: '/v1/rooms/{id}/messages/{messageId}/reactions/{emoji}',
    tag: 'Messages',
    auth: 'user',
    scope: 'post',
    spends: 'posts',
    summary: 'React to a message',
    description:
      `The emoji is percent-encoded UTF-8. Reacting twice in the same way changes nothing. A message can have ${mostReactions} ` +
      'different reactions; after that, only existing ones can be added. A redacted message accepts no new ' +
      'ones: `conflict`.',
    params: messages.ofReaction,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed', 'conflict'],
    headers: writeHeaders,
  },
  removeReaction: {
    method: 'DELETE',
    path: '/v1/rooms/{id}/messages/{messageId}/reactions/{emoji}',
    tag: 'Messages',
    auth: 'user',
    scope: 'post',
    spends: 'posts',
    summary: 'Remove a reaction',
    description: 'Removing a reaction that does not exist changes nothing.',
    params: messages.ofFormerReaction,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member', 'forbidden', 'room_closed'],
    headers: writeHeaders,
  },
  markRead: {
    method: 'PUT',
    path: '/v1/rooms/{id}/read',
    tag: 'Messages',
    auth: 'user',
    scope: 'read',
    spends: 'reads',
    inMaintenance: true,
    summary: 'Set your read mark',
    description: 'Read marks are private: no one else sees them, and they are not events.',
    params: rooms.inRoom,
    body: messages.markReadBody,
    answers: { 204: null },
    errors: ['not_found', 'not_a_member'],
    headers: writeHeaders,
  },
  getInbox: {
    method: 'GET',
    path: '/v1/inbox',
    tag: 'Messages',
    auth: 'user',
    scope: 'read',
    summary: 'Your inbox: your rooms, most recent first',
    query: messages.inboxQuery,
    answers: { 200: messages.inboxSchema },
    errors: [],
    headers: readHeaders,
  },
  searchMessages: {
    method: 'GET',
    path: '/v1/search',
    tag: 'Messages',
    auth: 'user',
    scope: 'read',
    spends: 'search',
    summary: 'Search messages',
    description:
      'In your rooms, as far back as you can read; with `room`, administrators and auditors also ' +
      'in one that they are not in. Newest first. New messages can take a moment to be found.',
    query: messages.searchQuery,
    answers: { 200: messages.foundMessageListSchema },
    errors: ['not_found', 'not_a_member', 'reason_required'],
    headers: inspectionHeaders,
  },
  proveMessage: {
    method: 'GET',
    path: '/v1/rooms/{id}/messages/{messageId}/proof',
    tag: 'Messages',
    auth: 'user',
    scope: 'read',
    summary: 'Prove a message',
    description:
      'Everything that is needed to show one message to somebody who trusts neither the reader nor the operator, without ' +
      'showing anything else: the event that produced its present text, the key of this one event, and a proof that the ' +
      'event is in the transparency log. Waits a few seconds for a checkpoint that covers the message, then `unavailable`.',
    params: messages.ofMessage,
    query: messages.proofQuery,
    answers: { 200: messages.messageProofSchema },
    errors: ['not_found', 'not_a_member', 'forbidden', 'reason_required'],
    headers: inspectionHeaders,
  },
} as const satisfies Record<string, Call>;
