import { describe, expect, it } from 'vitest';
import type { Actor } from '../decider.js';
import { given, type Past, timeOf } from '../given.testing.js';
import { isRejection } from '../rejection.js';
import { type RoomCommand, type RoomEvent, room, type Visibility } from './room.js';
import {
  alice,
  banned,
  bob,
  closed,
  created,
  joined,
  left,
  madeA,
  muted,
  person,
  posted,
  reacted,
  reported,
} from './room.testing.js';

// Everybody was a member once and wrote a message; then they got the roles that their names say.
const people: readonly Actor[] = [
  person('owner'),
  person('moderator'),
  person('member'),
  person('guest'),
  person('outsider'),
  person('admin', 'admin'),
];
const [owner, moderator, , guest, outsider, admin] = people as [Actor, Actor, Actor, Actor, Actor, Actor];
const [anOwner, aModerator, aMember, newcomer] = [person('o2'), person('m2'), alice, bob];
const [exile, aQuietOne] = [person('exile'), person('quiet')];

const roomOf = (visibility: Visibility): Past<RoomEvent>[] => [
  created(anOwner, { visibility }),
  joined(anOwner, 'owner'),
  joined(aModerator, 'moderator'),
  joined(aMember),
  posted(aMember, 'of another'),
  ...people.flatMap((who) => [joined(who), posted(who, `of ${who.id}`), reacted(who, 'of another', '👍')]),
  madeA('owner', owner),
  madeA('moderator', moderator),
  madeA('guest', guest),
  left(outsider),
  left(admin),
  joined(aQuietOne),
  muted(aQuietOne, anOwner, timeOf(999)),
  banned(exile, anOwner),
  reported(aQuietOne, 'of another', 'r1'),
];

/** What somebody may wish to do, in the words of the tables below. */
const wishes: Record<string, (actor: Actor) => RoomCommand> = {
  'change the topic': (actor) => ({ type: 'ChangeRoom', actor, topic: 'News' }),
  'hide the room': (actor) => ({ type: 'ChangeRoom', actor, visibility: 'hidden', history: 'joined' }),
  'set a password': (actor) => ({ type: 'ChangeRoom', actor, passwordId: 'p9' }),
  'close the room': (actor) => ({ type: 'CloseRoom', actor, reason: null }),
  'join the room': (actor) => ({ type: 'JoinRoom', actor }),
  'leave the room': (actor) => ({ type: 'RemoveMember', actor, userId: actor.id, reason: null }),
  'add a guest': (actor) => ({ type: 'AddMember', actor, userId: newcomer.id, role: 'guest' }),
  'add a member': (actor) => ({ type: 'AddMember', actor, userId: newcomer.id, role: 'member' }),
  'add a moderator': (actor) => ({ type: 'AddMember', actor, userId: newcomer.id, role: 'moderator' }),
  'add an owner': (actor) => ({ type: 'AddMember', actor, userId: newcomer.id, role: 'owner' }),
  'remove a member': (actor) => ({ type: 'RemoveMember', actor, userId: aMember.id, reason: 'spam' }),
  'remove a moderator': (actor) => ({ type: 'RemoveMember', actor, userId: aModerator.id, reason: null }),
  'remove an owner': (actor) => ({ type: 'RemoveMember', actor, userId: anOwner.id, reason: null }),
  'make a member a guest': (actor) => ({ type: 'ChangeMemberRole', actor, userId: aMember.id, role: 'guest' }),
  'make a member a moderator': (actor) => ({ type: 'ChangeMemberRole', actor, userId: aMember.id, role: 'moderator' }),
  'make a moderator a member': (actor) => ({ type: 'ChangeMemberRole', actor, userId: aModerator.id, role: 'member' }),
  'make an owner a member': (actor) => ({ type: 'ChangeMemberRole', actor, userId: anOwner.id, role: 'member' }),
  post: (actor) => ({ type: 'PostMessage', actor, messageId: 'new', text: 'Hi', replyTo: null, kind: 'text' }),
  'edit an own message': (actor) => ({ type: 'EditMessage', actor, messageId: `of ${actor.id}`, text: 'Hm' }),
  "edit another's message": (actor) => ({ type: 'EditMessage', actor, messageId: 'of another', text: 'Hm' }),
  'redact an own message': (actor) => ({ type: 'RedactMessage', actor, messageId: `of ${actor.id}`, reason: null }),
  "redact another's message": (actor) => ({ type: 'RedactMessage', actor, messageId: 'of another', reason: null }),
  react: (actor) => ({ type: 'AddReaction', actor, messageId: 'of another', emoji: '🎉' }),
  'ban a member': (actor) => ({ type: 'BanMember', actor, userId: aMember.id, reason: null, until: null }),
  'ban a moderator': (actor) => ({ type: 'BanMember', actor, userId: aModerator.id, reason: null, until: null }),
  'ban an owner': (actor) => ({ type: 'BanMember', actor, userId: anOwner.id, reason: null, until: null }),
  'lift a ban': (actor) => ({ type: 'UnbanMember', actor, userId: exile.id }),
  'mute a member': (actor) => ({ type: 'MuteMember', actor, userId: aMember.id, reason: null, until: timeOf(999) }),
  'mute a moderator': (actor) => ({
    type: 'MuteMember',
    actor,
    userId: aModerator.id,
    reason: null,
    until: timeOf(999),
  }),
  'lift a mute': (actor) => ({ type: 'UnmuteMember', actor, userId: aQuietOne.id }),
  'slow the room down': (actor) => ({ type: 'ChangeRoom', actor, slowModeSeconds: 60 }),
  'hand the room over': (actor) => ({ type: 'TransferOwnership', actor, userId: aMember.id }),
  'report a message': (actor) => ({
    type: 'ReportMessage',
    actor,
    messageId: 'of another',
    reportId: 'r2',
    reason: 'Rude.',
  }),
  'settle a report': (actor) => ({ type: 'SettleReport', actor, reportId: 'r1', outcome: 'dismissed', note: null }),
  'read from outside': (actor) => ({ type: 'InspectRoom', actor, what: 'messages', reason: 'Ticket 7' }),
  'take a reaction back': (actor) => ({ type: 'RemoveReaction', actor, messageId: 'of another', emoji: '👍' }),
  'add a webhook': (actor) => ({
    ...{ type: 'AddWebhook', actor, webhookId: 'w1', host: 'example.org', urlId: 'v1', secretId: 'v2' },
    events: ['MessagePosted'],
  }),
  'add an incoming webhook': (actor) => ({
    ...{ type: 'AddIncomingWebhook', actor, webhookId: 'w2', botId: 'robby', name: 'Build' },
  }),
};

/** `yes`: it happens. `nothing`: accepted, but there is nothing to do. Otherwise the reason why it is refused. */
function outcomeOf(wish: string, actor: Actor, past: readonly Past<RoomEvent>[]): string {
  const { decision } = given(room, past).when((wishes[wish] as (actor: Actor) => RoomCommand)(actor));
  if (isRejection(decision)) return decision.rejected;
  return decision.events.length > 0 ? 'yes' : 'nothing';
}

/** Checks a table whose columns are people and whose rows are wishes. */
function expectTable(past: readonly Past<RoomEvent>[], who: readonly Actor[], table: string): void {
  for (const row of table.trim().split('\n')) {
    const [wish = '', ...expected] = row.split('|').map((cell) => cell.trim());
    const outcomes = who.map((actor) => `${actor.id}: ${outcomeOf(wish, actor, past)}`);
    it(wish, () => expect(outcomes).toEqual(who.map((actor, i) => `${actor.id}: ${expected[i]}`)));
  }
}

// The columns: owner, moderator, member, guest, outsider, admin.
const openRoom = `
  change the topic          | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  hide the room             | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  set a password            | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  close the room            | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  add a webhook             | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  add an incoming webhook   | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  leave the room            | yes        | yes        | yes        | yes        | NotAMember | NotAMember
  add a guest               | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  add a member              | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  add a moderator           | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  add an owner              | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  remove a member           | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  remove a moderator        | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  remove an owner           | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  make a member a guest     | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  make a member a moderator | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  make a moderator a member | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  make an owner a member    | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  post                      | yes        | yes        | yes        | NotAllowed | NotAMember | NotAMember
  edit an own message       | yes        | yes        | yes        | NotAllowed | NotAMember | NotAMember
  edit another's message    | NotAllowed | NotAllowed | NotAllowed | NotAllowed | NotAMember | NotAMember
  redact an own message     | yes        | yes        | yes        | yes        | NotAMember | yes
  redact another's message  | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  react                     | yes        | yes        | yes        | NotAllowed | NotAMember | NotAMember
  take a reaction back      | yes        | yes        | yes        | NotAllowed | NotAMember | NotAMember
  ban a member              | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  ban a moderator           | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  ban an owner              | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  lift a ban                | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  mute a member             | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  mute a moderator          | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  lift a mute               | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  slow the room down        | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  hand the room over        | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | NotAMember
  report a message          | yes        | yes        | yes        | yes        | NotAMember | NotAMember
  settle a report           | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  read from outside         | NotAllowed | NotAllowed | NotAllowed | NotAllowed | NotAllowed | yes
`;
const closedRoom = `
  change the topic          | RoomClosed | NotAllowed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  hide the room             | RoomClosed | NotAllowed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  set a password            | RoomClosed | NotAllowed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  close the room            | nothing    | NotAllowed | NotAllowed | NotAllowed | NotAMember | nothing
  add a webhook             | RoomClosed | NotAllowed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  add an incoming webhook   | RoomClosed | NotAllowed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  leave the room            | yes        | yes        | yes        | yes        | NotAMember | NotAMember
  add a member              | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  remove a member           | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  remove a moderator        | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  remove an owner           | yes        | NotAllowed | NotAllowed | NotAllowed | NotAMember | yes
  make a member a guest     | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  post                      | RoomClosed | RoomClosed | RoomClosed | RoomClosed | NotAMember | NotAMember
  edit an own message       | RoomClosed | RoomClosed | RoomClosed | RoomClosed | NotAMember | NotAMember
  edit another's message    | RoomClosed | RoomClosed | RoomClosed | RoomClosed | NotAMember | NotAMember
  redact an own message     | yes        | yes        | yes        | yes        | NotAMember | yes
  redact another's message  | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  react                     | RoomClosed | RoomClosed | RoomClosed | RoomClosed | NotAMember | NotAMember
  take a reaction back      | RoomClosed | RoomClosed | RoomClosed | RoomClosed | NotAMember | NotAMember
  ban a member              | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  ban a moderator           | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  ban an owner              | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  lift a ban                | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  mute a member             | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  mute a moderator          | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  lift a mute               | RoomClosed | RoomClosed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  slow the room down        | RoomClosed | NotAllowed | NotAllowed | NotAllowed | NotAMember | RoomClosed
  hand the room over        | RoomClosed | NotAllowed | NotAllowed | NotAllowed | NotAMember | NotAMember
  report a message          | yes        | yes        | yes        | yes        | NotAMember | NotAMember
  settle a report           | yes        | yes        | NotAllowed | NotAllowed | NotAMember | yes
  read from outside         | NotAllowed | NotAllowed | NotAllowed | NotAllowed | NotAllowed | yes
`;
/** Those who are in it are in it already; how the two others fare depends on the room. */
const joining = (outsiders: string, admins: string): string =>
  `join the room | nothing | nothing | nothing | nothing | ${outsiders} | ${admins}`;

/** To the outsider, the fifth column, a hidden room does not exist. */
const asHidden = (table: string): string =>
  table.replaceAll(/^(.*\|.*\|.*\|.*\|.*\|)( NotAMember| NotAllowed)( \|[^|]*)$/gm, '$1 NotFound$3');

describe('who may do what in a public room', () => {
  expectTable(roomOf('public'), people, openRoom + joining('yes', 'yes'));
});

describe('who may do what in a private room', () => {
  expectTable(roomOf('private'), people, openRoom + joining('NotAllowed', 'yes'));
});

describe('who may do what in a hidden room', () => {
  expectTable(roomOf('hidden'), people, asHidden(openRoom) + joining('NotFound', 'yes'));
});

describe.each(['public', 'private'] as const)('who may do what in a closed %s room', (visibility) => {
  expectTable([...roomOf(visibility), closed(anOwner)], people, closedRoom + joining('RoomClosed', 'RoomClosed'));
});

describe('who may do what in a closed hidden room', () => {
  expectTable([...roomOf('hidden'), closed(anOwner)], people, asHidden(closedRoom) + joining('NotFound', 'RoomClosed'));
});

describe('who may do what in the direct room of two people', () => {
  const past = [
    created(alice, { visibility: 'direct', name: '' }),
    joined(alice),
    joined(person('peer')),
    posted(alice, 'of another'),
    posted(person('peer'), 'of peer'),
    reacted(person('peer'), 'of another', '👍'),
  ];
  // The columns: one of the two, outsider, admin.
  expectTable(
    past,
    [person('peer'), outsider, admin],
    `
  change the topic          | NotAllowed | NotFound | NotAllowed
  hide the room             | NotAllowed | NotFound | NotAllowed
  set a password            | NotAllowed | NotFound | NotAllowed
  close the room            | NotAllowed | NotFound | NotAllowed
  join the room             | nothing    | NotFound | NotFound
  leave the room            | yes        | NotFound | NotAMember
  add a member              | NotAllowed | NotFound | NotAllowed
  remove a member           | NotAllowed | NotFound | NotAllowed
  make a member a guest     | NotAllowed | NotFound | NotAllowed
  make a member a moderator | NotAllowed | NotFound | NotAllowed
  post                      | yes        | NotFound | NotAMember
  edit an own message       | yes        | NotFound | NotAMember
  edit another's message    | NotAllowed | NotFound | NotAMember
  redact an own message     | yes        | NotFound | NotFound
  redact another's message  | NotAllowed | NotFound | yes
  react                     | yes        | NotFound | NotAMember
  take a reaction back      | yes        | NotFound | NotAMember
  ban a member              | NotAllowed | NotFound | NotAllowed
  lift a ban                | NotAllowed | NotFound | NotAllowed
  mute a member             | NotAllowed | NotFound | NotAllowed
  lift a mute               | NotAllowed | NotFound | NotAllowed
  slow the room down        | NotAllowed | NotFound | NotAllowed
  hand the room over        | NotAllowed | NotFound | NotAMember
  report a message          | yes        | NotFound | NotAMember
  settle a report           | NotAllowed | NotFound | NotFound
  read from outside         | NotAllowed | NotFound | yes
`,
  );
});

describe.each([
  ['never came to be', []],
  ['was abandoned', [{ type: 'RoomAbandoned', data: {} }]],
] as const)('in a room that %s', (_, past) => {
  it.each(Object.keys(wishes))('nobody may %s', (wish) => {
    for (const actor of people) expect(outcomeOf(wish, actor, past)).toBe('NotFound');
  });
});

describe('an auditor', () => {
  it('changes nothing, in no room and in no role; reading alone is recorded', () => {
    const roles = people.map(({ id }) => person(id, 'auditor'));
    for (const visibility of ['public', 'private', 'hidden'] as const) {
      for (const auditor of roles) {
        for (const wish of Object.keys(wishes).filter((wish) => wish !== 'read from outside'))
          expect([wish, outcomeOf(wish, auditor, roomOf(visibility))]).toEqual([wish, 'NotAllowed']);
      }
      const reading = roles.map((auditor) => outcomeOf('read from outside', auditor, roomOf(visibility)));
      expect(reading).toEqual(['nothing', 'nothing', 'nothing', 'nothing', 'yes', 'yes']);
    }
  });
});
