import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type AnswerOf,
  type BodyOf,
  type BodyToSend,
  callList,
  calls,
  errorsOf,
  type ParamsOf,
  type QueryOf,
  statusesOf,
} from './calls.js';
import type { Message } from './messages.js';
import type { Member } from './rooms.js';

describe('the table of calls', () => {
  it('has the paths and the answers that clients rely on', () => {
    const lines = callList.map(([, { method, path, answers }]) => `${method} ${path} ${Object.keys(answers)}`);
    expect(lines.sort()).toEqual([
      'DELETE /v1/rooms/{id}/members/{userId} 204',
      'DELETE /v1/rooms/{id}/messages/{messageId} 200',
      'DELETE /v1/rooms/{id}/messages/{messageId}/reactions/{emoji} 204',
      'GET /asyncapi.json 200',
      'GET /health/live 200',
      'GET /health/ready 200',
      'GET /metrics 200',
      'GET /openapi.json 200',
      'GET /v1/about 200',
      'GET /v1/inbox 200',
      'GET /v1/me 200',
      'GET /v1/rooms 200',
      'GET /v1/rooms/{id} 200',
      'GET /v1/rooms/{id}/events 200',
      'GET /v1/rooms/{id}/members 200',
      'GET /v1/rooms/{id}/messages 200',
      'GET /v1/search 200',
      'GET /v1/users 200',
      'GET /v1/users/{id} 200',
      'PATCH /v1/me 200',
      'PATCH /v1/rooms/{id} 200',
      'PATCH /v1/rooms/{id}/members/{userId} 200',
      'PATCH /v1/rooms/{id}/messages/{messageId} 200',
      'PATCH /v1/users/{id} 200',
      'POST /v1/auth/login 200',
      'POST /v1/auth/logout 204',
      'POST /v1/auth/refresh 200',
      'POST /v1/auth/register 201',
      'POST /v1/auth/ticket 201',
      'POST /v1/rooms 201',
      'POST /v1/rooms/{id}/close 200',
      'POST /v1/rooms/{id}/members 200,201',
      'POST /v1/rooms/{id}/messages 200,201',
      'PUT /v1/direct/{username} 200,201',
      'PUT /v1/rooms/{id}/messages/{messageId}/reactions/{emoji} 204',
      'PUT /v1/rooms/{id}/read 204',
    ]);
  });

  it.each(callList)('%s names exactly the parameters of its path', (_, { path, params }) => {
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    expect(Object.keys(params?.shape ?? {})).toEqual(inPath);
  });

  it.each(callList)('%s takes the headers of its kind', (_, { method, path, headers }) => {
    const taken = Object.keys(headers.request);
    const given = Object.keys(headers.answer);
    if (path.startsWith('/v1/auth/')) expect(taken).toEqual([]);
    else if (method !== 'GET') expect([taken, given]).toEqual([['Idempotency-Key'], ['Verbatim-Position']]);
    else if (path.startsWith('/v1/') && path !== '/v1/about')
      expect([taken, given]).toEqual([['Verbatim-Position'], []]);
    else expect([taken, given]).toEqual([[], []]);
  });

  it.each(callList.filter(([, { query }]) => query))('%s pages its list', (_, { query, answers }) => {
    expect(Object.keys(query?.shape ?? {})).toEqual(expect.arrayContaining(['limit', 'cursor']));
    const list = answers[200];
    const page = { items: [], page: { next: null } };
    expect(list?.parse(page)).toEqual(page);
  });

  it('lets bodies be absent where they need not say anything', () => {
    const optional = callList.filter(([, { body }]) => body?.safeParse(undefined).success).map(([name]) => name);
    expect(optional).toEqual(['closeRoom', 'addMember', 'redactMessage']);
  });
});

describe('errorsOf', () => {
  it('adds to the errors of a call those that follow from its shape', () => {
    expect(errorsOf(calls.postMessage)).toEqual([
      'invalid_request',
      'unauthenticated',
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
    ]);
    expect(errorsOf(calls.getLiveness)).toEqual(['internal']);
    expect(errorsOf(calls.changeUser)).toContain('forbidden');
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
    limit: number;
    cursor?: string;
  }>();
  expectTypeOf<ParamsOf<'removeMember'>>().toEqualTypeOf<{ id: string; userId: string }>();
  expectTypeOf<AnswerOf<'postMessage'>>().toEqualTypeOf<Message>();
  expectTypeOf<AnswerOf<'addMember'>>().toEqualTypeOf<Member>();
  expectTypeOf<AnswerOf<'logout'>>().toEqualTypeOf<undefined>();
});
