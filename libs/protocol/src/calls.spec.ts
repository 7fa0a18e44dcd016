import { describe, expect, expectTypeOf, it } from 'vitest';
import { secretHeaders } from './call.js';
import {
  type AnswerOf,
  type BodyOf,
  type BodyToSend,
  callList,
  calls,
  errorsOf,
  type ParamsOf,
  type QueryOf,
  spentByCall,
  statusesOf,
} from './calls.js';
import type { Message } from './messages.js';
import type { Member } from './rooms.js';
import { scopes } from './scopes.js';

describe('the table of calls', () => {
  it('has the paths and the answers that clients rely on', () => {
    const lines = callList.map(([, { method, path, answers }]) => `${method} ${path} ${Object.keys(answers)}`);
    expect(lines.sort()).toEqual([
      'DELETE /v1/announcement 204',
      'DELETE /v1/holds/{id} 204',
      'DELETE /v1/invitations/{id} 204',
      'DELETE /v1/maintenance 204',
      'DELETE /v1/me/sessions 204',
      'DELETE /v1/me/sessions/{id} 204',
      'DELETE /v1/me/tokens/{id} 204',
      'DELETE /v1/me/totp 204',
      'DELETE /v1/retention/{id} 204',
      'DELETE /v1/rooms/{id}/bans/{userId} 204',
      'DELETE /v1/rooms/{id}/incoming-webhooks/{webhookId} 204',
      'DELETE /v1/rooms/{id}/invitations/{invitationId} 204',
      'DELETE /v1/rooms/{id}/members/{userId} 204',
      'DELETE /v1/rooms/{id}/messages/{messageId} 200',
      'DELETE /v1/rooms/{id}/messages/{messageId}/reactions/{emoji} 204',
      'DELETE /v1/rooms/{id}/mutes/{userId} 204',
      'DELETE /v1/rooms/{id}/webhooks/{webhookId} 204',
      'DELETE /v1/users/{id}/sessions 204',
      'DELETE /v1/users/{id}/sessions/{sessionId} 204',
      'DELETE /v1/users/{id}/tokens/{tokenId} 204',
      'DELETE /v1/users/{id}/totp 204',
      'GET /.well-known/jwks.json 200',
      'GET /asyncapi.json 200',
      'GET /health/live 200',
      'GET /health/ready 200',
      'GET /metrics 200',
      'GET /openapi.json 200',
      'GET /v1/about 200',
      'GET /v1/audit 200',
      'GET /v1/audit/export 200',
      'GET /v1/auth/options 200',
      'GET /v1/auth/sso 302',
      'GET /v1/auth/sso/callback 302',
      'GET /v1/erasures 200',
      'GET /v1/erasures/{id} 200',
      'GET /v1/exports 200',
      'GET /v1/exports/{id} 200',
      'GET /v1/exports/{id}/bundle 200',
      'GET /v1/holds 200',
      'GET /v1/inbox 200',
      'GET /v1/invitations 200',
      'GET /v1/invitations/{id}/uses 200',
      'GET /v1/me 200',
      'GET /v1/me/events 200',
      'GET /v1/me/preferences 200',
      'GET /v1/me/sessions 200',
      'GET /v1/me/tokens 200',
      'GET /v1/me/totp 200',
      'GET /v1/overview 200',
      'GET /v1/projections 200',
      'GET /v1/reports 200',
      'GET /v1/retention 200',
      'GET /v1/retention/dry-run 200',
      'GET /v1/rooms 200',
      'GET /v1/rooms/{id} 200',
      'GET /v1/rooms/{id}/bans 200',
      'GET /v1/rooms/{id}/events 200',
      'GET /v1/rooms/{id}/incoming-webhooks 200',
      'GET /v1/rooms/{id}/invitations 200',
      'GET /v1/rooms/{id}/members 200',
      'GET /v1/rooms/{id}/messages 200',
      'GET /v1/rooms/{id}/messages/{messageId}/proof 200',
      'GET /v1/rooms/{id}/reports 200',
      'GET /v1/rooms/{id}/state 200',
      'GET /v1/rooms/{id}/timeline 200',
      'GET /v1/rooms/{id}/webhooks 200',
      'GET /v1/rooms/{id}/webhooks/{webhookId} 200',
      'GET /v1/search 200',
      'GET /v1/sessions 200',
      'GET /v1/settings 200',
      'GET /v1/tokens 200',
      'GET /v1/users 200',
      'GET /v1/users/export 200',
      'GET /v1/users/{id} 200',
      'GET /v1/users/{id}/events 200',
      'GET /v1/users/{id}/rooms 200',
      'GET /v1/users/{id}/sessions 200',
      'GET /v1/users/{id}/tokens 200',
      'PATCH /v1/me 200',
      'PATCH /v1/rooms/{id} 200',
      'PATCH /v1/rooms/{id}/members/{userId} 200',
      'PATCH /v1/rooms/{id}/messages/{messageId} 200',
      'PATCH /v1/rooms/{id}/webhooks/{webhookId} 200',
      'PATCH /v1/users/{id} 200',
      'POST /v1/auth/login 200',
      'POST /v1/auth/logout 204',
      'POST /v1/auth/refresh 200',
      'POST /v1/auth/register 201',
      'POST /v1/auth/reset 204',
      'POST /v1/auth/sso 200',
      'POST /v1/auth/sso/session 200',
      'POST /v1/auth/step-up 204',
      'POST /v1/auth/ticket 201',
      'POST /v1/bots 201',
      'POST /v1/erasures 202',
      'POST /v1/exports 202',
      'POST /v1/holds 201',
      'POST /v1/hooks/{token} 200,201',
      'POST /v1/invitations 201',
      'POST /v1/invitations/look-up 200',
      'POST /v1/me/deactivate 204',
      'POST /v1/me/tokens 201',
      'POST /v1/me/totp 201',
      'POST /v1/me/totp/confirm 200',
      'POST /v1/me/totp/recovery-codes 200',
      'POST /v1/projections/rebuild 202',
      'POST /v1/retention 201',
      'POST /v1/rooms 201',
      'POST /v1/rooms/{id}/close 200',
      'POST /v1/rooms/{id}/incoming-webhooks 201',
      'POST /v1/rooms/{id}/invitations 201',
      'POST /v1/rooms/{id}/members 200,201',
      'POST /v1/rooms/{id}/messages 200,201',
      'POST /v1/rooms/{id}/messages/{messageId}/reports 200,201',
      'POST /v1/rooms/{id}/owner 200',
      'POST /v1/rooms/{id}/reports/{reportId}/settle 200',
      'POST /v1/rooms/{id}/webhooks 201',
      'POST /v1/rooms/{id}/webhooks/{webhookId}/rotate-secret 200',
      'POST /v1/users 201',
      'POST /v1/users/{id}/password-reset 201',
      'POST /v1/users/{id}/tokens 201',
      'PUT /v1/announcement 200',
      'PUT /v1/direct/{username} 200,201',
      'PUT /v1/maintenance 200',
      'PUT /v1/me/password 204',
      'PUT /v1/me/preferences 204',
      'PUT /v1/rooms/{id}/bans/{userId} 204',
      'PUT /v1/rooms/{id}/messages/{messageId}/reactions/{emoji} 204',
      'PUT /v1/rooms/{id}/mutes/{userId} 204',
      'PUT /v1/rooms/{id}/read 204',
    ]);
  });

  it.each(callList)('%s names exactly the parameters of its path', (_, { path, params }) => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(Object.keys(params?.shape ?? {})).toEqual(inPath);
  });

  it.each(callList)(
    '%s says what a personal token needs for it, unless nobody needs to sign in',
    (_, { auth, scope }) => {
      if (auth === 'none') expect(scope).toBeUndefined();
      else expect([...scopes, 'session']).toContain(scope);
    },
  );

  it('limits what is said in rooms as posts, and searches as searches', () => {
    const spending = (limit: string) => callList.flatMap(([name, call]) => (spentByCall(call) === limit ? [name] : []));
    expect(spending('posts')).toEqual(['postMessage', 'editMessage', 'redactMessage', 'addReaction', 'removeReaction']);
    expect(spending('search')).toEqual([
      'exportUsers',
      'searchMessages',
      'exportAuditTrail',
      'requestExport',
      'getExportBundle',
    ]);
    expect(spending('reads')).toContain('markRead');
    const unlimited = callList.filter(
      ([, { tag, method, spends }]) => tag === 'Messages' && method !== 'GET' && !spends,
    );
    expect(unlimited).toEqual([]);
  });

  /** Calls that answer secrets, which are not kept for a repetition. */
  const secretive = ['beginTotp', 'confirmTotp', 'renewRecoveryCodes', 'issuePasswordReset'];

  it.each(callList)('%s takes the headers of its kind', (name, { method, path, auth, headers }) => {
    const taken = Object.keys(headers.request);
    const given = Object.keys(headers.answer);
    // Calls that return credentials create new ones each time.
    const givesCredentials =
      headers === secretHeaders || secretive.includes(name) || (method === 'POST' && path.includes('/invitations'));
    if (path.startsWith('/v1/auth/') || givesCredentials) expect(taken).toEqual([]);
    else if (auth !== 'none' && method !== 'GET')
      expect([taken, given]).toEqual([['Idempotency-Key'], ['Verbatim-Position']]);
    else if (path.startsWith('/v1/') && auth !== 'none')
      expect([taken.filter((name) => name !== 'Verbatim-Reason'), given]).toEqual([['Verbatim-Position'], []]);
    else expect([taken, given]).toEqual([[], []]);
  });

  /** What is no JSON is sent as a whole, what redirects has no list, and neither a proof, a dry run nor a room as it was is one. */
  const lists = callList.filter(
    ([name, { query, answers, mediaType }]) =>
      query &&
      answers[200] &&
      !mediaType &&
      !['proveMessage', 'dryRunRetention'].includes(name) &&
      !name.startsWith('getRoom'),
  );

  it.each(lists)('%s pages its list', (_, { query, answers }) => {
    expect(Object.keys(query?.shape ?? {})).toEqual(expect.arrayContaining(['limit', 'cursor']));
    const list = answers[200];
    const page = { items: [], page: { next: null } };
    expect(list?.parse(page)).toEqual(page);
  });

  it('lets bodies be absent where they need not say anything', () => {
    const optional = callList.filter(([, { body }]) => body?.safeParse(undefined).success).map(([name]) => name);
    expect(optional).toEqual([
      'closeRoom',
      'addMember',
      'removeMember',
      'redactMessage',
      'ban',
      'removeRetentionRule',
      'createInvitation',
      'createRoomInvitation',
    ]);
  });
});

describe('errorsOf', () => {
  it('adds to the errors of a call those that follow from its shape', () => {
    expect(errorsOf(calls.postMessage)).toEqual([
      'invalid_request',
      'unauthenticated',
      'mfa_required',
      'forbidden',
      'not_a_member',
      'not_found',
      'not_acceptable',
      'conflict',
      'room_closed',
      'duplicate_id',
      'too_large',
      'unsupported_media_type',
      'rate_limited',
      'internal',
      'unavailable',
      'maintenance',
    ]);
    expect(errorsOf(calls.getLiveness)).toEqual(['internal']);
    expect(errorsOf(calls.changeUser)).toContain('forbidden');
    for (const goesOn of [calls.listMessages, calls.login, calls.markRead, calls.endMySession, calls.changeUser])
      expect(errorsOf(goesOn)).not.toContain('maintenance');
  });

  it('sorts them by status', () => {
    const statuses = statusesOf(calls.postMessage);
    expect(statuses.get(201)).toEqual([]);
    expect(statuses.get(403)).toEqual(['forbidden', 'not_a_member']);
    expect(statuses.get(409)).toEqual(['conflict', 'room_closed', 'duplicate_id']);
  });
});

it('gives each call its types', () => {
  expectTypeOf<BodyOf<'postMessage'>>().toEqualTypeOf<{ text: string; id?: string; replyTo: string | null }>();
  expectTypeOf<BodyToSend<'postMessage'>>().toEqualTypeOf<{ text: string; id?: string; replyTo?: string | null }>();
  expectTypeOf<BodyOf<'changeMe'>>().toEqualTypeOf<{ displayName?: string }>();
  expectTypeOf<BodyOf<'closeRoom'>>().toEqualTypeOf<{ reason: string | null }>();
  expectTypeOf<BodyOf<'getMe'>>().toEqualTypeOf<undefined>();
  expectTypeOf<QueryOf<'listMessages'>>().toEqualTypeOf<{
    order: 'newest' | 'oldest';
    from?: number;
    at?: string;
    limit: number;
    cursor?: string;
  }>();
  expectTypeOf<ParamsOf<'removeMember'>>().toEqualTypeOf<{ id: string; userId: string }>();
  expectTypeOf<AnswerOf<'postMessage'>>().toEqualTypeOf<Message>();
  expectTypeOf<AnswerOf<'addMember'>>().toEqualTypeOf<Member>();
  expectTypeOf<AnswerOf<'logout'>>().toEqualTypeOf<undefined>();
});
