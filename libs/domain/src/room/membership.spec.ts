import { describe, expect, it } from 'vitest';
import { given, type Past } from '../given.testing.js';
import { invitingProblem, type Member, type RoomEvent, type RoomSettings, readableFrom, room } from './room.js';
import {
  adam,
  alice,
  bob,
  carol,
  changed,
  closed,
  created,
  joined,
  left,
  madeA,
  posted,
  removed,
} from './room.testing.js';

const join = { type: 'JoinRoom', actor: bob } as const;
const bobJoined = { type: 'MemberJoined', data: { userId: 'bob', role: 'member' } } as const;

describe('joining a room with an invitation', () => {
  const invited = { ...join, invited: 'guest' } as const;

  it.each(['public', 'private', 'hidden'] as const)('opens it when it is %s, whatever its password', (visibility) => {
    for (const passwordId of [null, 'p1'])
      given(room, [created(alice, { visibility, passwordId }), joined(alice, 'owner')])
        .when(invited)
        .then([{ type: 'MemberJoined', data: { userId: 'bob', role: 'guest' } }]);
  });

  it('changes nothing for those who are in it', () => {
    given(room, [created(alice), joined(alice, 'owner'), joined(bob)])
      .when(invited)
      .thenNothing();
  });

  it('opens neither a closed room nor a direct one', () => {
    given(room, [created(alice), joined(alice, 'owner'), closed(alice)])
      .when(invited)
      .thenRejected('RoomClosed');
    given(room, [created(alice, { visibility: 'direct' }), joined(alice), joined(carol)])
      .when(invited)
      .thenRejected('NotFound');
  });

  it('is for owners, moderators and administrators to make possible', () => {
    const problem = (actor: typeof bob, past: Past<RoomEvent>[]) =>
      invitingProblem(actor, given(room, past).state)?.rejected;
    const past = [created(alice, { visibility: 'private' }), joined(alice, 'owner')];
    expect([alice, adam].map((actor) => problem(actor, past))).toEqual([undefined, undefined]);
    expect(problem(bob, [...past, joined(bob, 'moderator')])).toBeUndefined();
    expect(problem(bob, [...past, joined(bob)])).toBe('NotAllowed');
    expect(problem(bob, past)).toBe('NotAMember');
    expect(problem(bob, [created(alice, { visibility: 'hidden' }), joined(alice, 'owner')])).toBe('NotFound');
    expect(problem(alice, [created(alice, { visibility: 'direct' }), joined(alice), joined(bob)])).toBe('NotAllowed');
    expect(problem(bob, [])).toBe('NotFound');
  });
});

describe('joining a room with a password', () => {
  const lockedRoom = (visibility: 'public' | 'private' | 'hidden') => [
    created(alice, { visibility, passwordId: 'p1' }),
    joined(alice, 'owner'),
  ];

  it.each(['public', 'private', 'hidden'] as const)('takes the right one when it is %s', (visibility) => {
    given(room, lockedRoom(visibility))
      .when({ ...join, provenPasswordId: 'p1' })
      .then([bobJoined]);
  });

  it.each(['public', 'private'] as const)('is refused without it when it is %s', (visibility) => {
    given(room, lockedRoom(visibility)).when(join).thenRejected('WrongPassword');
    given(room, lockedRoom(visibility))
      .when({ ...join, provenPasswordId: 'p0' })
      .thenRejected('WrongPassword');
  });

  it('does not reveal that a hidden room exists', () => {
    given(room, lockedRoom('hidden'))
      .when(join)
      .thenRejected('NotFound', /no such room/);
    given(room, lockedRoom('hidden'))
      .when({ ...join, provenPasswordId: 'p0' })
      .thenRejected('NotFound', /no such room/);
  });

  it('is refused with a password that was changed meanwhile', () => {
    given(room, [...lockedRoom('public'), changed(alice, { passwordId: 'p2' })])
      .when({ ...join, provenPasswordId: 'p1' })
      .thenRejected('WrongPassword');
  });

  it('takes none any more once it was cleared', () => {
    given(room, [...lockedRoom('public'), changed(alice, { passwordId: null })])
      .when(join)
      .then([bobJoined]);
  });

  it('takes none from an administrator, nor from those who are in it', () => {
    given(room, lockedRoom('private'))
      .when({ type: 'JoinRoom', actor: adam })
      .then([{ type: 'MemberJoined', data: { userId: 'adam', role: 'member' } }]);
    given(room, [...lockedRoom('private'), joined(bob)])
      .when(join)
      .thenNothing();
  });

  it('is refused when the room is closed, which a hidden one reveals only to those who know its password', () => {
    given(room, [...lockedRoom('public'), closed(alice)])
      .when({ ...join, provenPasswordId: 'p1' })
      .thenRejected('RoomClosed');
    given(room, [...lockedRoom('hidden'), closed(alice)])
      .when({ ...join, provenPasswordId: 'p1' })
      .thenRejected('RoomClosed');
    given(room, [...lockedRoom('hidden'), closed(alice)])
      .when({ ...join, provenPasswordId: 'p0' })
      .thenRejected('NotFound');
  });

  it('is refused everywhere to a password that no room has', () => {
    given(room, [created(alice, { visibility: 'private' })])
      .when({ ...join, provenPasswordId: 'p1' })
      .thenRejected('NotAllowed', /invitation/);
    given(room, [created(alice, { visibility: 'hidden' })])
      .when({ ...join, provenPasswordId: 'p1' })
      .thenRejected('NotFound');
  });
});

describe('joining a room', () => {
  it('done again changes nothing', () => {
    given(room, [created(alice)])
      .when(join)
      .when(join)
      .thenNothing();
  });

  it('is open again to those who left or were removed', () => {
    given(room, [created(alice), joined(bob), left(bob)])
      .when(join)
      .then([bobJoined]);
    given(room, [created(alice), joined(bob), removed(bob, alice)])
      .when(join)
      .then([bobJoined]);
  });

  it('makes former moderators and owners members', () => {
    given(room, [created(alice), joined(bob, 'moderator'), left(bob)])
      .when(join)
      .then([bobJoined]);
  });
});

describe('adding somebody', () => {
  const past = [created(alice), joined(alice, 'owner'), joined(bob)];

  it('changes nothing for those who are in the room, not even their role', () => {
    given(room, past).when({ type: 'AddMember', actor: alice, userId: 'bob', role: 'moderator' }).thenNothing();
  });

  it('gives the role that was chosen', () => {
    given(room, past)
      .when({ type: 'AddMember', actor: alice, userId: 'carol', role: 'guest' })
      .then([{ type: 'MemberJoined', data: { userId: 'carol', role: 'guest' } }]);
  });
});

describe('removing somebody', () => {
  const past = [created(alice), joined(alice, 'owner'), joined(bob), joined(carol)];

  it('names the reason', () => {
    given(room, past)
      .when({ type: 'RemoveMember', actor: alice, userId: 'bob', reason: 'Spam.' })
      .then([{ type: 'MemberRemoved', data: { userId: 'bob', reason: 'Spam.' } }]);
  });

  it('takes all rights from him at once', () => {
    given(room, past)
      .when({ type: 'RemoveMember', actor: alice, userId: 'bob', reason: null })
      .when({ type: 'PostMessage', actor: bob, messageId: 'm1', text: 'But!', replyTo: null, kind: 'text' })
      .thenRejected('NotAMember');
  });

  it('finds nobody to remove the second time', () => {
    const remove = { type: 'RemoveMember', actor: alice, userId: 'bob', reason: null } as const;
    given(room, past).when(remove).when(remove).thenRejected('NotFound');
  });

  it('is refused with a reason that is too long', () => {
    given(room, past)
      .when({ type: 'RemoveMember', actor: alice, userId: 'bob', reason: 'x'.repeat(501) })
      .thenRejected('Invalid', /reason/);
  });

  it('is called leaving when one removes oneself, and then takes no reason', () => {
    const leave = { type: 'RemoveMember', actor: bob, userId: 'bob', reason: 'Bored.' } as const;
    const leaving = given(room, past).when(leave);
    leaving.then([{ type: 'MemberLeft', data: { userId: 'bob' } }]);
    leaving.when(leave).thenRejected('NotAMember');
  });
});

describe('changing a role', () => {
  const past = [created(alice), joined(alice, 'owner'), joined(bob)];
  const promote = { type: 'ChangeMemberRole', actor: alice, userId: 'bob', role: 'moderator' } as const;

  it('takes effect at once', () => {
    given(room, past)
      .when(promote)
      .then([{ type: 'MemberRoleChanged', data: { userId: 'bob', role: 'moderator' } }]);
    given(room, past)
      .when(promote)
      .when({ type: 'AddMember', actor: bob, userId: 'carol', role: 'member' })
      .then([{ type: 'MemberJoined', data: { userId: 'carol', role: 'member' } }]);
  });

  it('to what it is already changes nothing', () => {
    given(room, past).when(promote).when(promote).thenNothing();
  });

  it('finds nobody outside the room', () => {
    given(room, past)
      .when({ ...promote, userId: 'carol' })
      .thenRejected('NotFound');
  });

  it('lets an owner step down beside another', () => {
    given(room, [...past, madeA('owner', bob)])
      .when({ ...promote, userId: 'alice', role: 'member' })
      .then([{ type: 'MemberRoleChanged', data: { userId: 'alice', role: 'member' } }]);
  });

  it('does not change since when somebody is a member', () => {
    const before = given(room, past).state.members.get('bob');
    const after = given(room, [...past, madeA('guest', bob)]).state.members.get('bob');
    expect(before).toEqual({ role: 'member', joined: 2n, joinedAt: '2026-01-31T12:00:02.000Z' });
    expect(after).toEqual({ ...before, role: 'guest' });
  });
});

describe('what a member may read', () => {
  const from = (settings: Partial<RoomSettings>, ...later: Past<RoomEvent>[]) => {
    const past = [created(alice, settings), joined(alice, 'owner'), posted(alice, 'm1'), joined(bob), ...later];
    const { state } = given(room, past);
    return readableFrom(state, state.members.get('bob') as Member);
  };

  it('begins at the joining where the room is set so', () => {
    expect(from({ visibility: 'private', history: 'joined' })).toBe(3n);
    expect(from({ visibility: 'hidden', history: 'joined' })).toBe(3n);
  });

  it('is everything elsewhere', () => {
    expect(from({ visibility: 'private', history: 'full' })).toBe(0n);
    expect(from({ visibility: 'hidden', history: 'full' })).toBe(0n);
    expect(from({ visibility: 'public', history: 'full' })).toBe(0n);
    expect(from({ visibility: 'public', history: 'joined' })).toBe(0n);
  });

  it('starts again with every joining', () => {
    expect(from({ visibility: 'hidden', history: 'joined' }, left(bob), joined(bob))).toBe(5n);
  });
});

describe('importing who came and went', () => {
  const from = (place: number) => ({ imported: { file: 'f1', place } });
  const past = [created(alice), joined(alice, 'owner')];

  it('marks every event with the place it was read at', () => {
    given(room, past)
      .when({ ...join, ...from(3) })
      .then([{ type: 'MemberJoined', data: { userId: 'bob', role: 'member', ...from(3) } }]);
    given(room, [...past, joined(bob)])
      .when({ type: 'RemoveMember', actor: bob, userId: 'bob', reason: null, ...from(4) })
      .then([{ type: 'MemberLeft', data: { userId: 'bob', ...from(4) } }]);
    given(room, [...past, joined(bob)])
      .when({ type: 'RemoveMember', actor: alice, userId: 'bob', reason: 'Flood.', ...from(5) })
      .then([{ type: 'MemberRemoved', data: { userId: 'bob', reason: 'Flood.', ...from(5) } }]);
  });

  it('done again changes nothing, also when much has happened since', () => {
    const removal = { type: 'RemoveMember', actor: alice, userId: 'bob', reason: null, ...from(4) } as const;
    const imported = given(room, past)
      .when({ ...join, ...from(3) })
      .when(removal)
      .when(join);
    imported.when({ ...join, ...from(3) }).thenNothing();
    imported.when(removal).thenNothing();
  });

  it('takes each file on its own', () => {
    given(room, past)
      .when({ ...join, ...from(9) })
      .when({ type: 'RemoveMember', actor: bob, userId: 'bob', reason: null, imported: { file: 'f2', place: 0 } })
      .then([{ type: 'MemberLeft', data: { userId: 'bob', imported: { file: 'f2', place: 0 } } }]);
  });
});
