import { describe, expect, it } from 'vitest';
import { clientFrames, closeReasons, frameSchema, isClientEvent, serverEvents, serverFrames } from './frames.js';

const room = '01985f6e-7a2c-7000-8000-0000000000c3';
const messageId = '01985f6e-7a2c-7000-8000-0000000000a1';

describe('any frame', () => {
  it.each([
    [{ event: 'ping' }],
    [{ event: 'ping', ref: 7, data: {} }],
    [{ event: 'post', ref: 'r'.repeat(100), data: null }],
  ])('may be %j', (frame) => {
    expect(frameSchema.parse(frame)).toEqual(frame);
  });

  it.each([
    [null],
    [[]],
    ['ping'],
    [{}],
    [{ event: 5 }],
    [{ event: 'x'.repeat(101) }],
    [{ event: 'ping', ref: 'r'.repeat(101) }],
    [{ event: 'ping', ref: null }],
    [{ event: 'ping', ref: {} }],
    [{ event: 'ping', ref: Number.POSITIVE_INFINITY }],
  ])('may not be %j', (frame) => {
    expect(frameSchema.safeParse(frame).success).toBe(false);
  });

  it('has one of the known names', () => {
    expect(isClientEvent('post')).toBe(true);
    for (const name of ['ack', 'constructor', '__proto__', '']) expect(isClientEvent(name)).toBe(false);
  });
});

describe('frames of clients', () => {
  it.each([
    ['follow', { room }, { room }],
    ['follow', { room, after: -1 }, { room, after: -1 }],
    ['unfollow', { room }, { room }],
    ['post', { room, text: 'cafe\u0301' }, { room, text: 'caf\u00e9', replyTo: null }],
    [
      'post',
      { room, text: 'x', id: messageId, replyTo: messageId },
      { room, text: 'x', id: messageId, replyTo: messageId },
    ],
    ['edit', { room, messageId, text: 'x' }, { room, messageId, text: 'x' }],
    ['redact', { room, messageId }, { room, messageId, reason: null }],
    ['react', { room, messageId, emoji: '👍' }, { room, messageId, emoji: '👍', remove: false }],
    ['join', { room, password: 'open sesame' }, { room, password: 'open sesame' }],
    ['leave', { room: room.toUpperCase() }, { room }],
    ['read', { room, revision: 0 }, { room, revision: 0 }],
    ['typing', { room, colour: 'red' }, { room }],
    ['watch', undefined, {}],
    ['unwatch', {}, {}],
    ['ping', undefined, {}],
    ['ping', {}, {}],
  ] as const)('%s takes %j', (event, data, expected) => {
    expect(clientFrames[event].parse(data)).toEqual(expected);
  });

  it.each([
    ['follow', { room, after: -2 }],
    ['follow', { room, after: 0.5 }],
    ['follow', { room, after: '0' }],
    ['follow', { room, after: null }],
    ['post', { room }],
    ['post', { text: 'x' }],
    ['post', { room, text: '\ud800' }],
    ['post', undefined],
    ['edit', { room, messageId, text: '' }],
    ['react', { room, messageId, emoji: 'a b' }],
    ['react', { room, messageId, emoji: 'a b', remove: true }],
    ['react', { room, messageId, emoji: ':+1:' }],
    ['react', { room, messageId, emoji: '👍', remove: 'yes' }],
    ['join', { room, invitation: 'code' }],
    ['read', { room, revision: -1 }],
    ['ping', null],
  ] as const)('%s refuses %j', (event, data) => {
    expect(clientFrames[event].safeParse(data).success).toBe(false);
  });
});

describe('frames of the server', () => {
  it('are the known ones', () => {
    expect(serverEvents).toEqual([
      'hello',
      'following',
      'events',
      'unfollowed',
      'ack',
      'typing',
      'presence',
      'removed',
      'watching',
      'changed',
      'unwatched',
      'error',
      'maintenance',
      'drain',
      'pong',
    ]);
  });

  it('acknowledge with as much as there is to tell', () => {
    expect(serverFrames.ack.parse({})).toEqual({});
    const ack = { revision: 3, position: 9, id: messageId, duplicate: true };
    expect(serverFrames.ack.parse(ack)).toEqual(ack);
  });
});

it('closes connections with codes that clients rely on', () => {
  expect(Object.values(closeReasons).map(({ code, name, retryable }) => [code, name, retryable])).toEqual([
    [4001, 'unauthenticated', false],
    [4003, 'revoked', false],
    [4008, 'too_slow', true],
    [4009, 'drain', true],
    [4013, 'too_large', false],
    [4029, 'rate_limited', true],
  ]);
});
