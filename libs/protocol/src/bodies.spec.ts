import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { changeUserBody, loginBody, registerBody, usersQuery } from './accounts.js';
import { issuesToErrors } from './errors.js';
import { markReadBody, messagesQuery, ofReaction, postMessageBody, searchQuery } from './messages.js';
import {
  addMemberBody,
  changeMemberBody,
  changeRoomBody,
  closeRoomBody,
  createRoomBody,
  eventsQuery,
  ofMember,
  ofMemberOrMe,
  roomsQuery,
} from './rooms.js';

const someId = '01985f6e-7a2c-7000-8000-0000000000a1';

/** The paths that are wrong, or none. */
const wrong = (schema: z.ZodType, input: unknown): string[] => {
  const { error } = schema.safeParse(input);
  return error ? issuesToErrors(error).map(({ path }) => path) : [];
};

describe('accounts', () => {
  const account = { username: 'Ada', password: 'correct horse' };

  it('are registered with a name in small letters and a password', () => {
    expect(registerBody.parse({ ...account, displayName: ' Ada ', email: 'ada@example.org', colour: 1 })).toEqual({
      username: 'ada',
      password: 'correct horse',
      displayName: 'Ada',
      email: 'ada@example.org',
    });
  });

  it.each([
    [{}, ['body.username', 'body.password']],
    [{ ...account, password: 'too short' }, ['body.password']],
    [{ ...account, displayName: null }, ['body.displayName']],
    [{ ...account, email: 'nobody' }, ['body.email']],
    [{ ...account, username: 7 }, ['body.username']],
  ])('are not registered with %j', (input, paths) => {
    expect(wrong(registerBody, input)).toEqual(paths);
  });

  it.each(['code', '', null, {}, 'l'.repeat(32), '0'.repeat(33)])('take no invitation like %j', (invitation) => {
    expect(wrong(registerBody, { ...account, invitation })).toEqual(['body.invitation']);
  });

  it('take the code of an invitation in any case', () => {
    const invitation = 'ABCDEFGHJKMNPQRSTVWXYZ0123456789';
    expect(registerBody.parse({ ...account, invitation }).invitation).toBe(invitation.toLowerCase());
  });

  it('may be tried with any name and password', () => {
    expect(loginBody.parse({ username: 'ADA', password: 'x' })).toEqual({ username: 'ada', password: 'x' });
    expect(wrong(loginBody, { username: 'no such name!', password: '' })).toEqual(['body.password']);
  });

  it.each([{ role: 'auditor' }, { suspended: false }, { displayName: 'Ada' }])('are changed by %j', (input) => {
    expect(changeUserBody.parse(input)).toEqual(input);
  });

  it.each([
    [{}, ['body']],
    [{ role: 'owner' }, ['body.role']],
    [{ suspended: 'true' }, ['body.suspended']],
  ])('are not changed by %j', (input, paths) => {
    expect(wrong(changeUserBody, input)).toEqual(paths);
  });
});

describe('rooms', () => {
  it('are public and open to all of their history unless said otherwise', () => {
    expect(createRoomBody.parse({ name: 'engine room' })).toEqual({
      name: 'engine room',
      topic: '',
      visibility: 'public',
      history: 'full',
    });
  });

  it.each([
    [{ name: 'x', visibility: 'direct' }, ['body.visibility']],
    [{ name: 'x', history: 'none' }, ['body.history']],
    [{ name: 'x', password: '' }, ['body.password']],
    [{ name: 'x', password: null }, ['body.password']],
    [{ name: '  ' }, ['body.name']],
    [{ name: 'x'.repeat(81), topic: 'x'.repeat(501) }, ['body.name', 'body.topic']],
    [[], ['body']],
  ])('are not created from %j', (input, paths) => {
    expect(wrong(createRoomBody, input)).toEqual(paths);
  });

  it('lose their password by null', () => {
    expect(changeRoomBody.parse({ password: null })).toEqual({ password: null });
    expect(wrong(changeRoomBody, { password: '' })).toEqual(['body.password']);
    expect(wrong(changeRoomBody, { password: 'x'.repeat(201) })).toEqual(['body.password']);
  });

  it('are closed with or without a reason', () => {
    expect(closeRoomBody.parse({})).toEqual({ reason: null });
    expect(closeRoomBody.parse({ reason: 'done' })).toEqual({ reason: 'done' });
    expect(wrong(closeRoomBody, { reason: 'x'.repeat(501) })).toEqual(['body.reason']);
  });

  it.each([{}, { password: 'open sesame' }, { userId: someId }, { userId: someId, role: 'guest' }])(
    'take members by %j',
    (input) => {
      expect(addMemberBody.parse(input)).toEqual(input);
    },
  );

  it.each([
    [{ role: 'owner' }, ['body.role']],
    [{ userId: 'me' }, ['body.userId']],
    [{ userId: someId, role: 'admin' }, ['body.role']],
    [{ invitation: 'x' }, ['body.invitation']],
  ])('take no members by %j', (input, paths) => {
    expect(wrong(addMemberBody, input)).toEqual(paths);
  });

  it('know the caller as me where one leaves, and only there', () => {
    expect(ofMemberOrMe.parse({ id: someId, userId: 'me' }).userId).toBe('me');
    expect(ofMemberOrMe.parse({ id: someId, userId: someId.toUpperCase() }).userId).toBe(someId);
    expect(wrong(ofMemberOrMe, { id: someId, userId: 'you' })).toEqual(['body.userId']);
    expect(wrong(ofMember, { id: someId, userId: 'me' })).toEqual(['body.userId']);
    expect(wrong(changeMemberBody, {})).toEqual(['body.role']);
  });
});

describe('messages', () => {
  it('answer nothing unless said otherwise', () => {
    expect(postMessageBody.parse({ text: 'hello' })).toEqual({ text: 'hello', replyTo: null });
    expect(postMessageBody.parse({ text: 'hello', id: someId.toUpperCase(), replyTo: null })).toEqual({
      text: 'hello',
      id: someId,
      replyTo: null,
    });
  });

  it.each([
    [{}, ['body.text']],
    [{ text: '' }, ['body.text']],
    [{ text: 5 }, ['body.text']],
    [{ text: 'x', id: 'x', replyTo: 'x' }, ['body.id', 'body.replyTo']],
    [{ text: 'x', id: null }, ['body.id']],
  ])('are not posted from %j', (input, paths) => {
    expect(wrong(postMessageBody, input)).toEqual(paths);
  });

  it('are read up to a revision', () => {
    expect(markReadBody.parse({ revision: 0 })).toEqual({ revision: 0 });
    expect(wrong(markReadBody, { revision: -1 })).toEqual(['body.revision']);
    expect(wrong(markReadBody, { revision: '1' })).toEqual(['body.revision']);
  });

  it('get reactions that are emoji', () => {
    expect(ofReaction.parse({ id: someId, messageId: someId, emoji: '👍' }).emoji).toBe('👍');
    expect(wrong(ofReaction, { id: someId, messageId: someId, emoji: 'ok' })).toEqual(['body.emoji']);
  });
});

describe('queries', () => {
  it('have their defaults, and ignore what they do not know', () => {
    expect(messagesQuery.parse({ colour: 'red' })).toEqual({ order: 'newest', limit: 50 });
    expect(eventsQuery.parse({})).toEqual({ from: 0, limit: 50 });
  });

  it('take an empty parameter as absent', () => {
    const query = roomsQuery.parse({ q: '', member: '', status: '', limit: '', cursor: '' });
    expect(query).toEqual({ limit: 50, sort: 'createdAt', order: 'desc' });
  });

  it.each([
    [roomsQuery, { member: 'you' }, 'body.member'],
    [roomsQuery, { status: 'ajar' }, 'body.status'],
    [usersQuery, { q: ['a', 'b'] }, 'body.q'],
    [usersQuery, { q: 'x'.repeat(201) }, 'body.q'],
    [usersQuery, { cursor: 'ä' }, 'body.cursor'],
    [usersQuery, { cursor: 'c'.repeat(501) }, 'body.cursor'],
    [messagesQuery, { order: 'sideways' }, 'body.order'],
    [messagesQuery, { from: '-1' }, 'body.from'],
    [messagesQuery, { at: 'yesterday' }, 'body.at'],
    [messagesQuery, { at: '2026-02-30T00:00:00Z' }, 'body.at'],
    [messagesQuery, { at: '0000-01-01T00:00:00Z' }, 'body.at'],
    [searchQuery, {}, 'body.q'],
    [searchQuery, { q: '' }, 'body.q'],
    [searchQuery, { q: 'x', room: 'x' }, 'body.room'],
  ])('are refused when wrong (%#)', (schema: z.ZodType, input, path) => {
    expect(wrong(schema, input)).toEqual([path]);
  });
});
