import { describe, expect, it } from 'vitest';
import { given } from '../given.testing.js';
import { type ChangeRoom, type CreateRoom, holdsName, maySee, room, roomStream } from './room.js';
import { adam, alice, bob, carol, changed, closed, created, joined, left, madeA } from './room.testing.js';

const create: CreateRoom = {
  type: 'CreateRoom',
  actor: alice,
  name: 'Lounge',
  topic: 'Tea',
  visibility: 'public',
  history: 'full',
  passwordId: null,
};
const change = (wish: Partial<ChangeRoom>): ChangeRoom => ({ type: 'ChangeRoom', actor: alice, ...wish });
const aliceRoom = [created(alice), joined(alice, 'owner')];

describe('creating a room', () => {
  it('makes its creator the owner', () => {
    given(room, [])
      .when(create)
      .then([
        {
          type: 'RoomCreated',
          data: { name: 'Lounge', topic: 'Tea', visibility: 'public', history: 'full', passwordId: null },
        },
        { type: 'MemberJoined', data: { userId: 'alice', role: 'owner' } },
      ]);
  });

  it('lets a public room show all its history, whatever was wished', () => {
    const { decision } = given(room, []).when({ ...create, history: 'joined' });
    expect(decision).toMatchObject({ events: [{ data: { history: 'full' } }, {}] });
  });

  it.each(['private', 'hidden'] as const)(
    'keeps the history of a %s room from later members if wished',
    (visibility) => {
      const { decision } = given(room, []).when({ ...create, visibility, history: 'joined' });
      expect(decision).toMatchObject({ events: [{ data: { visibility, history: 'joined' } }, {}] });
    },
  );

  it('done again changes nothing', () => {
    given(room, []).when(create).when(create).thenNothing();
  });

  it('is refused under an id that another room has', () => {
    given(room, aliceRoom)
      .when({ ...create, actor: bob })
      .thenRejected('Conflict');
    given(room, aliceRoom)
      .when({ ...create, name: 'Kitchen' })
      .thenRejected('Conflict');
  });

  it.each([
    ['an empty name', { name: '' }, /name must not be empty/],
    ['a name of spaces', { name: ' \t ' }, /name must not be empty/],
    ['a name of 81 characters', { name: 'ü'.repeat(81) }, /name must have at most 80/],
    ['a name that spaces make too long', { name: `x${' '.repeat(80)}` }, /name must have at most 80/],
    ['NUL in the name', { name: 'a\u0000b' }, /name must not contain the NUL/],
    ['half a character in the name', { name: 'a\ud83d' }, /name must not contain lone surrogates/],
    ['a topic of 501 characters', { topic: 'x'.repeat(501) }, /topic must have at most 500/],
    ['NUL in the topic', { topic: '\u0000' }, /topic must not contain the NUL/],
  ])('is refused with %s', (_, wish, detail) => {
    given(room, [])
      .when({ ...create, ...wish })
      .thenRejected('Invalid', detail);
  });

  it.each([
    ['80 characters outside the basic plane', { name: '😀'.repeat(80) }],
    ['80 characters that grow when made small', { name: 'İ'.repeat(80) }],
    ['no topic', { topic: '' }],
    ['a topic of 500 characters', { topic: '😀'.repeat(500) }],
  ])('takes %s', (_, wish) => {
    expect(given(room, []).when({ ...create, ...wish }).decision).toHaveProperty('events.length', 2);
  });
});

describe('abandoning a room', () => {
  it('gives its id up for good', () => {
    const abandoning = given(room, []).when({ type: 'AbandonRoom', actor: adam });
    abandoning.then([{ type: 'RoomAbandoned', data: {} }]);
    abandoning.when(create).thenRejected('Conflict');
    abandoning.when({ type: 'CreateDirectRoom', actor: alice, peerId: 'bob' }).thenRejected('Conflict');
    abandoning.when({ type: 'AbandonRoom', actor: adam }).thenNothing();
  });

  it('comes too late for a room that exists', () => {
    given(room, aliceRoom).when({ type: 'AbandonRoom', actor: adam }).thenRejected('Conflict');
  });
});

describe('the direct room of two people', () => {
  const direct = { type: 'CreateDirectRoom', actor: alice, peerId: 'bob' } as const;

  it('has both as members from the beginning', () => {
    given(room, [])
      .when(direct)
      .then([
        {
          type: 'RoomCreated',
          data: { name: '', topic: '', visibility: 'direct', history: 'full', passwordId: null },
        },
        { type: 'MemberJoined', data: { userId: 'alice', role: 'member' } },
        { type: 'MemberJoined', data: { userId: 'bob', role: 'member' } },
      ]);
  });

  it('is the same for both of them', () => {
    given(room, []).when(direct).when(direct).thenNothing();
    given(room, []).when(direct).when({ type: 'CreateDirectRoom', actor: bob, peerId: 'alice' }).thenNothing();
  });

  it('brings back the person who left when the other opens it again', () => {
    given(room, [])
      .when(direct)
      .when({ type: 'RemoveMember', actor: bob, userId: 'bob', reason: null })
      .when(direct)
      .then([{ type: 'MemberJoined', data: { userId: 'bob', role: 'member' } }]);
  });

  it('brings back the other one when somebody writes, before the message', () => {
    const post = {
      type: 'PostMessage',
      actor: alice,
      messageId: 'm1',
      text: 'still there?',
      replyTo: null,
      kind: 'text',
    } as const;
    const posted = {
      type: 'MessagePosted',
      data: { messageId: 'm1', text: 'still there?', replyTo: null, kind: 'text' },
    } as const;
    const bobLeaves = { type: 'RemoveMember', actor: bob, userId: 'bob', reason: null } as const;
    given(room, [])
      .when(direct)
      .when(bobLeaves)
      .when(post)
      .then([{ type: 'MemberJoined', data: { userId: 'bob', role: 'member' } }, posted]);
    given(room, []).when(direct).when(post).then([posted]);
    given(room, [])
      .when(direct)
      .when(bobLeaves)
      .when({ ...post, actor: bob })
      .thenRejected('NotFound');
    given(room, []).when(direct).when(post).when(bobLeaves).when(post).thenNothing();
  });

  it('is not made with somebody whose account is gone, and does not bring them back', () => {
    const gone = { ...direct, peerGone: true } as const;
    given(room, [])
      .when(gone)
      .thenRejected('Conflict', /deactivated/);
    given(room, [])
      .when(direct)
      .when({ type: 'RemoveMember', actor: bob, userId: 'bob', reason: null })
      .when(gone)
      .thenNothing();
    given(room, [])
      .when(direct)
      .when({ type: 'RemoveMember', actor: alice, userId: 'alice', reason: null })
      .when(gone)
      .then([{ type: 'MemberJoined', data: { userId: 'alice', role: 'member' } }]);
  });

  it('never turns into a way into another room', () => {
    given(room, aliceRoom)
      .when({ ...direct, actor: bob, peerId: 'alice' })
      .thenRejected('Conflict');
  });

  it('takes two', () => {
    given(room, [])
      .when({ ...direct, peerId: 'alice' })
      .thenRejected('Invalid');
  });
});

describe('changing a room', () => {
  it('records only what becomes different', () => {
    given(room, aliceRoom)
      .when(change({ name: 'Lounge', topic: 'Tea' }))
      .then([{ type: 'RoomChanged', data: { topic: 'Tea' } }]);
  });

  it('sets and clears the password', () => {
    given(room, aliceRoom)
      .when(change({ passwordId: 'p1' }))
      .then([{ type: 'RoomChanged', data: { passwordId: 'p1' } }]);
    given(room, [...aliceRoom, changed(alice, { passwordId: 'p1' })])
      .when(change({ passwordId: null }))
      .then([{ type: 'RoomChanged', data: { passwordId: null } }]);
  });

  it('to what it is already changes nothing', () => {
    given(room, aliceRoom).when(change({})).thenNothing();
    given(room, aliceRoom)
      .when(change({ name: 'Lounge', visibility: 'public', passwordId: null }))
      .thenNothing();
    const kitchen = change({ name: 'Kitchen', visibility: 'hidden' });
    given(room, aliceRoom).when(kitchen).when(kitchen).thenNothing();
  });

  it('is refused with a name or a topic that no room may have', () => {
    given(room, aliceRoom)
      .when(change({ name: '  ' }))
      .thenRejected('Invalid', /name/);
    given(room, aliceRoom)
      .when(change({ topic: 'x'.repeat(501) }))
      .thenRejected('Invalid', /topic/);
  });

  it('is refused where it would take a name that was not foreseen, for somebody else was quicker', () => {
    const known = { name: 'Lounge', visibility: 'hidden' } as const;
    const lounge = [created(alice, { visibility: 'hidden' }), joined(alice, 'owner')];
    const renamed = [...lounge, changed(bob, { name: 'Kitchen' })];
    const publish = change({ known, visibility: 'public' });
    given(room, lounge)
      .when(publish)
      .then([{ type: 'RoomChanged', data: { visibility: 'public' } }]);
    given(room, renamed).when(publish).thenRejected('Conflict');
    given(room, renamed)
      .when(change({ known, name: 'Lounge' }))
      .thenRejected('Conflict');
    given(room, renamed)
      .when(change({ known, name: 'Kitchen', topic: 'Food' }))
      .then([{ type: 'RoomChanged', data: { topic: 'Food' } }]);
  });

  it('is refused once its claim to the new name was given up', () => {
    const rename = change({ name: 'Kitchen', claim: 'c1' });
    const giveUp = { type: 'AbandonRoomName', actor: adam, claim: 'c1' } as const;
    given(room, aliceRoom)
      .when(giveUp)
      .then([{ type: 'RoomNameAbandoned', data: { claim: 'c1' } }]);
    given(room, aliceRoom).when(giveUp).when(giveUp).thenNothing();
    given(room, aliceRoom).when(giveUp).when(rename).thenRejected('Conflict');
    given(room, aliceRoom)
      .when(giveUp)
      .when({ ...rename, claim: 'c2' })
      .then([{ type: 'RoomChanged', data: { name: 'Kitchen' } }]);
  });

  it('keeps only the last few of the claims given up', () => {
    const claims = Array.from({ length: 100 }, (_, i) => `c${i}`);
    const past = claims.map((claim) => ({ type: 'RoomNameAbandoned', data: { claim } }) as const);
    expect(given(room, [...aliceRoom, ...past]).state.abandonedClaims).toEqual(claims.slice(-8));
  });
});

describe('closing a room', () => {
  it('gives a reason that everybody may read', () => {
    given(room, aliceRoom)
      .when({ type: 'CloseRoom', actor: alice, reason: 'We moved.' })
      .then([{ type: 'ChatClosed', data: { reason: 'We moved.' } }]);
  });

  it('done again changes nothing, whatever the reason', () => {
    given(room, [...aliceRoom, closed(alice)])
      .when({ type: 'CloseRoom', actor: adam, reason: 'Again.' })
      .thenNothing();
  });

  it('is refused with a reason that is too long', () => {
    given(room, aliceRoom)
      .when({ type: 'CloseRoom', actor: alice, reason: 'x'.repeat(501) })
      .thenRejected('Invalid', /reason/);
  });

  it('leaves no claim to a name that would have to be given up', () => {
    given(room, [...aliceRoom, closed(alice)])
      .when({ type: 'AbandonRoomName', actor: adam, claim: 'c1' })
      .thenNothing();
  });
});

describe('a room conceals that it exists', () => {
  it.each([
    ['public', false],
    ['private', false],
    ['hidden', true],
    ['direct', true],
  ] as const)('when it is %s, from those outside: %s', (visibility, hidden) => {
    const { state } = given(room, [created(alice, { visibility }), joined(alice), joined(bob), left(bob)]);
    expect(maySee(state, carol)).toBe(!hidden);
    expect(maySee(state, bob)).toBe(!hidden);
    expect(maySee(state, alice)).toBe(true);
    expect(maySee(state, adam)).toBe(true);
  });

  it('while it does not, from everybody', () => {
    expect(maySee(given(room, []).state, adam)).toBe(false);
    expect(maySee(given(room, [{ type: 'RoomAbandoned', data: {} }]).state, adam)).toBe(false);
  });
});

describe('the name of a room', () => {
  it.each([
    ['public', true],
    ['private', true],
    ['hidden', false],
    ['direct', false],
  ] as const)('is held by a %s room: %s', (visibility, held) => {
    expect(holdsName(given(room, [created(alice, { visibility })]).state)).toBe(held);
  });

  it('is free when the room is closed, was hidden or never came to be', () => {
    expect(holdsName(given(room, [created(alice), closed(alice)]).state)).toBe(false);
    expect(holdsName(given(room, [created(alice), changed(alice, { visibility: 'hidden' })]).state)).toBe(false);
    expect(holdsName(given(room, []).state)).toBe(false);
  });
});

describe('folding', () => {
  it('knows who created the room, and its settings after every change', () => {
    const { state } = given(room, [...aliceRoom, changed(adam, { name: 'Kitchen', visibility: 'hidden' })]);
    expect(state).toMatchObject({ createdBy: 'alice', name: 'Kitchen', topic: '', visibility: 'hidden', revision: 2n });
  });

  it('passes over events of later releases', () => {
    const later = { type: 'RoomPainted', data: { colour: 'green' } } as never;
    const { state } = given(room, [...aliceRoom, later]);
    expect({ ...state, revision: 1n }).toEqual(given(room, aliceRoom).state);
    expect(state.revision).toBe(2n);
  });

  it('passes over a role given to somebody who is not there', () => {
    expect(given(room, [...aliceRoom, madeA('owner', carol)]).state.members.get('carol')).toBeUndefined();
  });
});

it('the events of a room have a stream of their own', () => {
  expect(roomStream('0190')).toBe('room-0190');
});
