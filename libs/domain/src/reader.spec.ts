import { describe, expect, it } from 'vitest';
import type { Actor } from './decider.js';
import { given, type Past } from './given.testing.js';
import { readerOf } from './reader.js';
import { isRejection } from './rejection.js';
import { maySee } from './room/access.js';
import { type RoomEvent, room, type Visibility } from './room/room.js';
import { ada, adam, alice, bob, carol, closed, created, joined, left, posted } from './room/room.testing.js';

const roomOf = (visibility: Visibility, ...later: Past<RoomEvent>[]) =>
  given(room, [
    created(alice, { visibility, history: 'joined' }),
    joined(alice, 'owner'),
    posted(alice, 'm1'),
    joined(bob),
    ...later,
  ]).state;

/** What somebody gets to read, or why not. */
function reading(who: Actor, visibility: Visibility, ...later: Past<RoomEvent>[]) {
  const reader = readerOf(roomOf(visibility, ...later), who);
  return isRejection(reader) ? reader.rejected : `${reader.face} from ${reader.from}`;
}

describe('who may read a room', () => {
  it('its members, each from where the room lets them', () => {
    expect(reading(bob, 'public')).toBe('member from 0');
    expect(reading(bob, 'private')).toBe('member from 3');
    expect(reading(bob, 'hidden')).toBe('member from 3');
    expect(reading(bob, 'direct')).toBe('member from 3');
    expect(reading(bob, 'private', closed(alice))).toBe('member from 3');
  });

  it('its owners and moderators, with what moderating takes', () => {
    // Alice made the room, so its first event is hers to see as well.
    expect(reading(alice, 'private')).toBe('owner from 0');
    expect(reading(carol, 'private', joined(carol, 'moderator'))).toBe('moderator from 4');
    expect(reading(carol, 'private', joined(carol, 'guest'))).toBe('member from 4');
  });

  it('administrators and auditors, everything from the beginning, in the room or not', () => {
    for (const who of [adam, ada]) {
      for (const visibility of ['public', 'private', 'hidden', 'direct'] as const) {
        expect(reading(who, visibility)).toBe('auditor from 0');
        expect(reading(who, visibility, joined(who, 'guest'))).toBe('auditor from 0');
      }
    }
  });

  it('nobody else; a hidden room looks as if it did not exist', () => {
    for (const [who, ...later] of [[carol], [bob, left(bob)]] as [Actor, ...Past<RoomEvent>[]][]) {
      expect(reading(who, 'public', ...later)).toBe('NotAMember');
      expect(reading(who, 'private', ...later)).toBe('NotAMember');
      expect(reading(who, 'hidden', ...later)).toBe('NotFound');
      expect(reading(who, 'direct', ...later)).toBe('NotFound');
    }
  });

  it('nobody where there is no room', () => {
    for (const past of [[], [{ type: 'RoomAbandoned', data: {} } as const]]) {
      const { state } = given(room, past);
      expect(readerOf(state, adam)).toMatchObject({ rejected: 'NotFound' });
      expect(maySee(state, adam)).toBe(false);
    }
  });
});

it.each([
  ['public', true],
  ['private', true],
  ['hidden', false],
  ['direct', false],
] as const)('outsiders may know of a %s room: %s', (visibility, known) => {
  expect(maySee(roomOf(visibility), carol)).toBe(known);
  expect(maySee(roomOf(visibility, left(bob)), bob)).toBe(known);
  for (const who of [alice, bob, adam, ada]) expect(maySee(roomOf(visibility), who)).toBe(true);
});
