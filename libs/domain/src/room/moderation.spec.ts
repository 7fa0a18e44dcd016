import { describe, expect, it } from 'vitest';
import type { Actor } from '../decider.js';
import { given, timeOf } from '../given.testing.js';
import { type Inspected, moderationLimits, openReport } from './moderation.js';
import { type PostMessage, type RoomEvent, type RoomState, room } from './room.js';
import {
  ada,
  adam,
  alice,
  banned,
  bob,
  carol,
  changed,
  closed,
  created,
  joined,
  left,
  madeA,
  muted,
  person,
  posted,
  redacted,
  reported,
  slowedTo,
} from './room.testing.js';

// Alice owns the room, Carol moderates it, Bob and Dave are members.
const dave = person('dave');
const past = [created(alice), joined(alice, 'owner'), joined(carol, 'moderator'), joined(bob), joined(dave)];
const SOON = timeOf(60);
const LATER = timeOf(3_600);

const ban = (actor: Actor, who: Actor, until: string | null = null) =>
  ({ type: 'BanMember', actor, userId: who.id, reason: 'Spam.', until }) as const;
const mute = (actor: Actor, who: Actor, until = SOON) =>
  ({ type: 'MuteMember', actor, userId: who.id, reason: 'Spam.', until }) as const;
const post = (actor: Actor, messageId: string, more: Partial<PostMessage> = {}): PostMessage => ({
  type: 'PostMessage',
  actor,
  messageId,
  text: 'Hello',
  replyTo: null,
  kind: 'text',
  ...more,
});
const join = { type: 'JoinRoom', actor: bob } as const;
const bobJoined = { type: 'MemberJoined', data: { userId: 'bob', role: 'member' } } as const;

describe('banning somebody', () => {
  const bobBanned = { type: 'MemberBanned', data: { userId: 'bob', until: null, reason: 'Spam.' } } as const;

  it('removes them in the same breath', () => {
    given(room, past)
      .when(ban(carol, bob))
      .then([bobBanned, { type: 'MemberRemoved', data: { userId: 'bob', reason: 'Spam.' } }]);
  });

  it('is possible before they ever came', () => {
    given(room, [...past, left(bob)])
      .when(ban(carol, bob))
      .then([bobBanned]);
  });

  it('done again changes nothing; another end counts from then on', () => {
    const once = given(room, past).when(ban(carol, bob, SOON));
    once.when(ban(alice, bob, SOON)).thenNothing();
    once.when(ban(alice, bob)).then([bobBanned]);
    once.when(ban(alice, bob)).when(ban(carol, bob)).thenNothing();
  });

  it('takes a time to come', () => {
    given(room, past)
      .when(ban(carol, bob, timeOf(5)), timeOf(5))
      .thenRejected('Invalid', /has passed/);
  });

  it('does not reach oneself, nor an owner who is the last', () => {
    given(room, past).when(ban(carol, carol)).thenRejected('NotAllowed');
    given(room, past)
      .when(ban(adam, alice))
      .thenRejected('Conflict', /last owner/);
    given(room, past)
      .when(ban(alice, alice))
      .thenRejected('Conflict', /last owner/);
  });

  it('has a limit, which those that have ended do not count for', () => {
    const events = Array.from({ length: moderationLimits.bans }, (_, i) => banned(person(`p${i}`), alice, LATER));
    const full = given(room, [...past, ...events]);
    full.when(ban(carol, bob), timeOf(0)).thenRejected('Conflict', /at most 10000 bans/);
    full
      .when(ban(carol, person('p7')), timeOf(0))
      .then([{ type: 'MemberBanned', data: { userId: 'p7', until: null, reason: 'Spam.' } }]);
    const after = { ...banned(bob, carol), at: LATER };
    expect(full.when(ban(carol, bob), LATER).decision).toHaveProperty('events.length', 2);
    expect(given(room, [...past, ...events, after]).state.moderation.bans.size).toBe(1);
  });
});

describe('a banned person', () => {
  const settings = { passwordId: 'p1' };
  const without = [created(alice, settings), joined(alice, 'owner'), banned(bob, alice, SOON)];

  it('does not come in, with the password or without, nor by the hand of others', () => {
    for (const visibility of ['public', 'private', 'hidden'] as const) {
      const story = given(room, [created(alice, { ...settings, visibility }), ...without.slice(1)]);
      story.when({ ...join, provenPasswordId: 'p1' }).thenRejected('NotAllowed', /banned/);
      const adding = { type: 'AddMember', actor: alice, userId: 'bob', role: 'member' } as const;
      story.when(adding).thenRejected('Conflict', /Lift the ban/);
      story.when({ ...adding, actor: adam }).thenRejected('Conflict', /Lift the ban/);
    }
    given(room, [created(alice), banned(adam, alice)])
      .when({ type: 'JoinRoom', actor: adam })
      .thenRejected('NotAllowed', /banned/);
  });

  it('learns no more of a hidden room than others', () => {
    given(room, [...without, changed(alice, { visibility: 'hidden' })])
      .when(join)
      .thenRejected('NotFound');
  });

  it('comes in when it has ended or was lifted', () => {
    const story = given(room, without);
    story.when({ ...join, provenPasswordId: 'p1' }, SOON).then([bobJoined]);
    const lifting = { type: 'UnbanMember', actor: alice, userId: 'bob' } as const;
    story.when(lifting).then([{ type: 'MemberUnbanned', data: { userId: 'bob' } }]);
    story
      .when(lifting)
      .when({ ...join, provenPasswordId: 'p1' })
      .then([bobJoined]);
    story.when(lifting).when(lifting).thenNothing();
    story.when(lifting, SOON).thenNothing();
  });
});

describe('muting somebody', () => {
  it('is recorded, and done again changes nothing', () => {
    const once = given(room, past).when(mute(carol, bob));
    once.then([{ type: 'MemberMuted', data: { userId: 'bob', until: SOON, reason: 'Spam.' } }]);
    once.when(mute(alice, bob)).thenNothing();
    once
      .when(mute(alice, bob, LATER))
      .then([{ type: 'MemberMuted', data: { userId: 'bob', until: LATER, reason: 'Spam.' } }]);
  });

  it('takes a time to come, and somebody who is there', () => {
    given(room, past)
      .when(mute(carol, bob, timeOf(4)), timeOf(4))
      .thenRejected('Invalid');
    given(room, past)
      .when(mute(carol, person('eve')))
      .thenRejected('NotFound');
    given(room, past).when(mute(carol, carol)).thenRejected('NotAllowed');
  });

  it('has a limit', () => {
    const people = Array.from({ length: moderationLimits.mutes }, (_, i) => person(`p${i}`));
    const events = people.flatMap((who) => [joined(who), muted(who, alice, LATER)]);
    const full = given(room, [...past, ...events]);
    full.when(mute(carol, bob), timeOf(0)).thenRejected('Conflict', /at most 1000 mutes/);
    full
      .when(mute(carol, bob, timeOf(9_999)), LATER)
      .then([{ type: 'MemberMuted', data: { userId: 'bob', until: timeOf(9_999), reason: 'Spam.' } }]);
  });
});

describe('a muted person', () => {
  const story = given(room, [...past, posted(bob, 'm1'), posted(alice, 'm2'), muted(bob, carol, SOON)]);
  const react = { type: 'AddReaction', actor: bob, messageId: 'm2', emoji: '👍' } as const;

  it('neither posts nor edits nor reacts until then', () => {
    for (const command of [
      post(bob, 'm3'),
      { type: 'EditMessage', actor: bob, messageId: 'm1', text: 'Hi' } as const,
      react,
    ]) {
      story.when(command).thenRejected('NotAllowed', /muted in this room until 2026-01-31T12:01:00.000Z/);
      expect(story.when(command, SOON).decision).toHaveProperty('events.length', 1);
    }
  });

  it('gets the earlier answer to a repeated post, and may redact their own messages', () => {
    story.when(post(bob, 'm1')).thenNothing(5n);
    expect(story.when({ type: 'RedactMessage', actor: bob, messageId: 'm1', reason: null }).decision).toHaveProperty(
      'events.length',
      1,
    );
  });

  it('does not escape by leaving and coming back', () => {
    given(room, [...past, muted(bob, carol, SOON), left(bob), joined(bob)])
      .when(post(bob, 'm3'))
      .thenRejected('NotAllowed', /muted/);
  });

  it('speaks again when it was lifted, which they do not do themselves', () => {
    const lifting = { type: 'UnmuteMember', actor: carol, userId: 'bob' } as const;
    story.when(lifting).then([{ type: 'MemberUnmuted', data: { userId: 'bob' } }]);
    story.when(lifting).when(lifting).thenNothing();
    expect(story.when(lifting).when(post(bob, 'm3')).decision).toHaveProperty('events.length', 1);
    given(room, [...past, muted(carol, alice, SOON)])
      .when({ type: 'UnmuteMember', actor: carol, userId: 'carol' })
      .thenRejected('NotAllowed');
  });
});

describe('slow mode', () => {
  const slow = [...past, slowedTo(30, alice)];

  it('is a setting of the room, up to an hour', () => {
    const set = (slowModeSeconds: number) => ({ type: 'ChangeRoom', actor: alice, slowModeSeconds }) as const;
    given(room, past)
      .when(set(30))
      .then([{ type: 'RoomChanged', data: { slowModeSeconds: 30 } }]);
    given(room, past).when(set(30)).when(set(30)).thenNothing();
    given(room, past).when(set(0)).thenNothing();
    for (const wrong of [-1, 0.5, 3_601, Number.NaN]) given(room, past).when(set(wrong)).thenRejected('Invalid');
  });

  it('makes members wait, and says how long', () => {
    const story = given(room, [...slow, posted(bob, 'm1')]);
    const [postedAt, early, due] = [6, 35.5, 36].map(timeOf) as [string, string, string];
    expect(postedAt < early).toBe(true);
    story.when(post(bob, 'm2'), early).thenRejected('TooSoon', /30 s/);
    expect(story.when(post(bob, 'm2'), early).decision).toMatchObject({ retryAfterMs: 500 });
    expect(story.when(post(bob, 'm2'), due).decision).toHaveProperty('events.length', 1);
    expect(story.when(post(dave, 'm2'), early).decision).toHaveProperty('events.length', 1);
  });

  it('is not for those who moderate, nor for edits, repetitions and what is imported', () => {
    for (const who of [alice, carol]) {
      const story = given(room, [...slow, posted(who, 'm1')]);
      expect(story.when(post(who, 'm2')).decision).toHaveProperty('events.length', 1);
    }
    const story = given(room, [...slow, posted(bob, 'm1')]);
    story.when(post(bob, 'm1')).thenNothing(6n);
    const edit = { type: 'EditMessage', actor: bob, messageId: 'm1', text: 'Hi' } as const;
    expect(story.when(edit).decision).toHaveProperty('events.length', 1);
    const imported = { file: 'f1', place: 1 };
    expect(story.when(post(bob, 'm2', { imported })).decision).toHaveProperty('events.length', 1);
  });

  it('does not wait for a post that a wrong clock recorded in the future', () => {
    const story = given(room, [...slow, posted(bob, 'm1')]);
    const [aDayBefore, aMomentBefore] = [timeOf(6 - 86_400), timeOf(6 - 10)];
    expect(story.when(post(bob, 'm2'), aDayBefore).decision).toHaveProperty('events.length', 1);
    // Clocks of replicas differ a little: nobody waits longer than slow mode says.
    expect(story.when(post(bob, 'm2'), aMomentBefore).decision).toMatchObject({
      rejected: 'TooSoon',
      retryAfterMs: 30_000,
    });
  });

  it('ends with being switched off', () => {
    const story = given(room, [...slow, posted(bob, 'm1'), slowedTo(0, alice)]);
    expect(story.when(post(bob, 'm2')).decision).toHaveProperty('events.length', 1);
    expect(story.state.moderation.lastPosts.young.size).toBe(0);
  });

  it('remembers only those who have posted lately', () => {
    let state: RoomState = given(room, slow).state;
    for (let i = 0; i < 20_000; i++) {
      const data = { messageId: `m${i}`, text: 'Hello', replyTo: null, kind: 'text' } as const;
      const event = { type: 'MessagePosted', data, actor: `p${i}`, at: timeOf(10 + i), revision: BigInt(10 + i) };
      state = room.evolve(state, event as RoomEvent);
    }
    const { young, old } = state.moderation.lastPosts;
    expect(young.size + old.size).toBeLessThanOrEqual(2 * 31);
    for (let i = 19_970; i < 20_000; i++) expect(young.has(`p${i}`) || old.has(`p${i}`)).toBe(true);
  });
});

describe('handing a room over', () => {
  const transfer = (actor: Actor, to: Actor) => ({ type: 'TransferOwnership', actor, userId: to.id }) as const;
  const bobOwner = { type: 'MemberRoleChanged', data: { userId: 'bob', role: 'owner' } } as const;
  const aliceModerator = { type: 'MemberRoleChanged', data: { userId: 'alice', role: 'moderator' } } as const;

  it('makes the other owner, and moderator of the one who had it', () => {
    given(room, past).when(transfer(alice, bob)).then([bobOwner, aliceModerator]);
    given(room, [...past, madeA('owner', bob)])
      .when(transfer(alice, bob))
      .then([aliceModerator]);
  });

  it('is for owners, to members, in open rooms', () => {
    given(room, past).when(transfer(carol, bob)).thenRejected('NotAllowed');
    given(room, past).when(transfer(adam, bob)).thenRejected('NotAMember');
    given(room, past)
      .when(transfer(alice, person('eve')))
      .thenRejected('NotFound');
    given(room, past).when(transfer(alice, alice)).thenRejected('Invalid');
    given(room, [...past, closed(alice)])
      .when(transfer(alice, bob))
      .thenRejected('RoomClosed');
  });
});

describe('the last owner of an open room', () => {
  const leave = (who: Actor, successor?: Actor) =>
    ({
      type: 'RemoveMember',
      actor: who,
      userId: who.id,
      reason: null,
      ...(successor && { successor: successor.id }),
    }) as const;
  const bobOwner = { type: 'MemberRoleChanged', data: { userId: 'bob', role: 'owner' } } as const;
  const aliceLeft = { type: 'MemberLeft', data: { userId: 'alice' } } as const;

  it('stays, unless somebody takes their place', () => {
    given(room, past)
      .when(leave(alice))
      .thenRejected('Conflict', /last owner.*successor/);
    given(room, past).when(leave(alice, bob)).then([bobOwner, aliceLeft]);
    given(room, [...past, madeA('owner', bob)])
      .when(leave(alice))
      .then([aliceLeft]);
    given(room, [...past, madeA('owner', bob)])
      .when(leave(alice, bob))
      .then([aliceLeft]);
    given(room, [...past, closed(alice)])
      .when(leave(alice))
      .then([aliceLeft]);
  });

  it('is followed by somebody else who is in the room', () => {
    for (const nobody of [person('eve'), alice])
      given(room, past)
        .when(leave(alice, nobody))
        .thenRejected('NotFound', /successor/);
    given(room, past)
      .when(leave(bob, dave))
      .thenRejected('Invalid', /Only an owner/);
  });

  it('keeps the role until another has it', () => {
    const stepDown = { type: 'ChangeMemberRole', actor: alice, userId: 'alice', role: 'member' } as const;
    given(room, past)
      .when(stepDown)
      .thenRejected('Conflict', /last owner/);
    given(room, past)
      .when({ ...stepDown, actor: adam })
      .thenRejected('Conflict', /last owner/);
  });

  it('is removed by an administrator only with a successor', () => {
    const removal = { type: 'RemoveMember', actor: adam, userId: 'alice', reason: null } as const;
    given(room, past)
      .when(removal)
      .thenRejected('Conflict', /last owner/);
    given(room, past)
      .when({ ...removal, successor: 'bob' })
      .then([bobOwner, { type: 'MemberRemoved', data: { userId: 'alice', reason: null } }]);
  });

  it('is counted right however roles came and went', () => {
    const story = given(room, [
      ...past,
      madeA('owner', bob),
      joined(bob, 'owner'),
      madeA('guest', bob),
      madeA('owner', dave),
      left(dave),
    ]);
    expect(story.state.owners).toBe(1);
    story.when(leave(alice)).thenRejected('Conflict');
  });
});

describe('reporting a message', () => {
  const said = [...past, posted(bob, 'm1')];
  const report = (actor: Actor, reportId = 'r1', messageId = 'm1') =>
    ({ type: 'ReportMessage', actor, messageId, reportId, reason: 'Rude.' }) as const;
  const settle = (actor: Actor, reportId = 'r1') =>
    ({ type: 'SettleReport', actor, reportId, outcome: 'acted', note: 'Warned.' }) as const;
  const isReported = { type: 'MessageReported', data: { reportId: 'r1', messageId: 'm1', reason: 'Rude.' } } as const;

  it('is for those who are in the room, of messages that others wrote', () => {
    given(room, said).when(report(dave)).then([isReported]);
    given(room, [...said, madeA('guest', dave), closed(alice)])
      .when(report(dave))
      .then([isReported]);
    for (const outsider of [person('eve'), adam]) given(room, said).when(report(outsider)).thenRejected('NotAMember');
    given(room, said).when(report(bob)).thenRejected('NotAllowed', /own/);
    given(room, said)
      .when(report(dave, 'r1', 'm9'))
      .thenRejected('NotFound');
    given(room, [...said, redacted(bob, 'm1', bob)])
      .when(report(dave))
      .thenRejected('Conflict');
    for (const reason of ['', 'x'.repeat(501)])
      given(room, said)
        .when({ ...report(dave), reason })
        .thenRejected('Invalid');
  });

  it('counts once for each person and message while it is open', () => {
    const once = given(room, said).when(report(dave));
    once.when(report(dave, 'r2')).thenNothing();
    expect(once.when(report(carol, 'r2')).decision).toHaveProperty('events.length', 1);
    expect(once.when(settle(carol)).when(report(dave, 'r2')).decision).toHaveProperty('events.length', 1);
    const { state } = given(room, [...said, reported(dave, 'm1', 'r1')]);
    expect(openReport(state, 'm1', 'dave')).toBe('r1');
    expect(openReport(state, 'm1', 'carol')).toBeUndefined();
  });

  it('is settled once, by those who moderate', () => {
    const open = given(room, [...said, reported(dave, 'm1', 'r1'), closed(alice)]);
    const settled = { type: 'ReportSettled', data: { reportId: 'r1', outcome: 'acted', note: 'Warned.' } } as const;
    for (const who of [carol, alice, adam]) open.when(settle(who)).then([settled]);
    open.when(settle(carol)).when(settle(alice)).thenRejected('NotFound');
    open.when(settle(dave)).thenRejected('NotAllowed');
    open.when(settle(ada)).thenRejected('NotAllowed');
    open.when(settle(carol, 'r9')).thenRejected('NotFound');
    open.when({ ...settle(carol), note: 'x'.repeat(501) }).thenRejected('Invalid');
  });

  it('has a limit for each person and for the room', () => {
    const many = (who: Actor, count: number, from = 0) =>
      Array.from({ length: count }, (_, i) => [
        posted(bob, `x${from + i}`),
        reported(who, `x${from + i}`, `r${from + i}`),
      ]).flat();
    given(room, [...said, ...many(dave, 50)])
      .when(report(dave, 'r99'))
      .thenRejected('Conflict', /Too many reports/);
    const crowd = Array.from({ length: 20 }, (_, i) => many(person(`p${i}`), 50, i * 50)).flat();
    given(room, [...said, ...crowd])
      .when(report(dave, 'new'))
      .thenRejected('Conflict', /Too many reports/);
  });
});

describe('reading a room from outside', () => {
  const inspect = (actor: Actor, reason = 'Ticket 7', what: Inspected = 'messages') =>
    ({ type: 'InspectRoom', actor, what, reason }) as const;
  const inspected = { type: 'RoomInspected', data: { what: 'messages', reason: 'Ticket 7' } } as const;

  it('is recorded, in rooms of every kind, closed ones included', () => {
    for (const who of [adam, ada]) {
      for (const visibility of ['public', 'private', 'hidden', 'direct'] as const)
        given(room, [created(alice, { visibility }), joined(alice), closed(alice)])
          .when(inspect(who))
          .then([inspected]);
    }
  });

  it('is recorded once in ten minutes for the same person and reason', () => {
    const once = given(room, past).when(inspect(ada), timeOf(10));
    once.when(inspect(ada), timeOf(20)).thenNothing();
    once.when(inspect(ada, 'Ticket 7', 'events'), timeOf(20)).thenNothing();
    once
      .when(inspect(ada, 'Ticket 7', 'search'), timeOf(20))
      .then([{ type: 'RoomInspected', data: { what: 'search', reason: 'Ticket 7' } }]);
    once.when(inspect(ada), timeOf(609)).thenNothing();
    once.when(inspect(ada), timeOf(610)).then([inspected]);
    once.when(inspect(adam), timeOf(20)).then([inspected]);
    expect(once.when(inspect(ada, 'Ticket 8'), timeOf(20)).decision).toHaveProperty('events.length', 1);
  });

  it('needs a reason', () => {
    for (const reason of ['', 'x'.repeat(501)]) given(room, past).when(inspect(ada, reason)).thenRejected('Invalid');
  });

  it('is nothing to those who are in the room, and not for others', () => {
    given(room, [...past, joined(adam)])
      .when(inspect(adam))
      .thenNothing();
    given(room, past).when(inspect(bob)).thenRejected('NotAllowed');
    given(room, past)
      .when(inspect(person('eve')))
      .thenRejected('NotAllowed');
    given(room, [created(alice, { visibility: 'hidden' })])
      .when(inspect(bob))
      .thenRejected('NotFound');
    given(room, []).when(inspect(ada)).thenRejected('NotFound');
  });

  it('leaves no more behind than the last few', () => {
    const readings = Array.from({ length: 100 }, (_, i) => ({
      type: 'RoomInspected' as const,
      data: { what: 'live' as const, reason: `Ticket ${i}` },
      actor: 'ada',
    }));
    expect(given(room, [...past, ...readings]).state.moderation.inspections).toHaveLength(32);
  });
});
