import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { announcement } from './announcement.js';
import { given } from './given.testing.js';
import { maintenance } from './maintenance.js';
import { isRejection, type Rejection } from './rejection.js';
import { type RoomCommand, room } from './room/room.js';
import { adam, alice, bob, carol, created, joined, posted, reported } from './room/room.testing.js';
import { blankText } from './text.testing.js';
import { user } from './user/user.js';

// What no door lets in is refused by the rules as well: imports, single sign-on and later doors lead here too.

const inRoom = [
  created(alice),
  joined(alice, 'owner'),
  joined(bob),
  joined(carol),
  posted(bob, 'm1'),
  reported(carol, 'm1', 'r1'),
];
const by = { actor: alice };
const until = '2027-01-31T12:00:00.000Z';

/** Every command of a room that brings a text which people see. */
const ofRooms: Record<string, (text: string) => RoomCommand> = {
  'the name of a room': (name) => ({ type: 'ChangeRoom', ...by, name }),
  'a topic': (topic) => ({ type: 'ChangeRoom', ...by, topic }),
  'a message': (text) => ({ type: 'PostMessage', ...by, messageId: 'm2', text, replyTo: null, kind: 'text' }),
  'an edited message': (text) => ({ type: 'EditMessage', actor: bob, messageId: 'm1', text }),
  'a reaction': (emoji) => ({ type: 'AddReaction', ...by, messageId: 'm1', emoji }),
  'why a message is redacted': (reason) => ({ type: 'RedactMessage', ...by, messageId: 'm1', reason }),
  'why a message is reported': (reason) => ({ type: 'ReportMessage', ...by, messageId: 'm1', reportId: 'r2', reason }),
  'a note on a report': (note) => ({ type: 'SettleReport', ...by, reportId: 'r1', outcome: 'dismissed', note }),
  'why somebody is removed': (reason) => ({ type: 'RemoveMember', ...by, userId: 'bob', reason }),
  'why somebody is banned': (reason) => ({ type: 'BanMember', ...by, userId: 'bob', reason, until: null }),
  'why somebody is muted': (reason) => ({ type: 'MuteMember', ...by, userId: 'bob', reason, until }),
  'why somebody reads a room': (reason) => ({ type: 'InspectRoom', actor: adam, what: 'messages', reason }),
  'why a room is closed': (reason) => ({ type: 'CloseRoom', ...by, reason }),
  'the name of a webhook': (name) => ({ type: 'AddIncomingWebhook', ...by, webhookId: 'w1', name, botId: 'b1' }),
};

const account = {
  type: 'RegisterUser',
  actor: null,
  username: 'ada',
  email: null,
  role: 'user',
  origin: 'setup',
} as const;
const { state: ada } = given(user, [{ type: 'UserRegistered', data: { ...account, displayName: 'Ada' } as never }]);
const begun = { type: 'BeginMaintenance', actor: adam, until: null } as const;

const others: Record<string, (text: string) => unknown> = {
  'an announcement': (text) =>
    announcement.decide({ type: 'Announce', actor: adam, text }, announcement.initialState, ''),
  'the notice of maintenance': (text) => maintenance.decide({ ...begun, text } as never, maintenance.initialState, ''),
  'a display name': (displayName) => user.decide({ ...account, displayName }, user.initialState, ''),
  'another display name': (displayName) =>
    user.decide({ type: 'ChangeUser', actor: alice, userId: 'alice', displayName }, ada, ''),
  'the name of a token': (name) =>
    user.decide(
      {
        type: 'CreateToken',
        actor: alice,
        userId: 'alice',
        tokenId: 't1',
        name,
        scopes: ['read'],
        expiresAt: until,
      } as never,
      ada,
      '',
    ),
};

const expectInvalid = (decision: unknown) => {
  if (!isRejection(decision as Rejection)) expect.fail(`accepted: ${JSON.stringify(decision)}`);
  expect(decision).toMatchObject({ rejected: 'Invalid' });
};

describe('a text that shows nothing', () => {
  it.each(Object.entries(ofRooms))('is not %s', (_, command) => {
    const { state } = given(room, inRoom);
    const at = '2026-02-01T12:00:00.000Z';
    fc.assert(fc.property(blankText, (text) => expectInvalid(room.decide(command(text), state, at))));
    expect(isRejection(room.decide(command('👍'), state, at))).toBe(false);
  });

  it.each(Object.entries(others))('is not %s', (_, decide) => {
    fc.assert(fc.property(blankText, (text) => expectInvalid(decide(text))));
    expect(isRejection(decide('Ada') as Rejection)).toBe(false);
  });
});
