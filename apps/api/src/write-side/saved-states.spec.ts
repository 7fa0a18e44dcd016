import { isRejection, type RoomCommand, type RoomEvent, type RoomState, room } from '@verbatim/domain';
import { expect, it } from 'vitest';
import { roomSnapshot } from './saved-states.js';

const ada = { id: 'ada', role: 'user' } as const;
const bob = { id: 'bob', role: 'user' } as const;
const admin = { id: 'admin', role: 'admin' } as const;
const [now, later] = ['2026-01-31T12:00:00.000Z', '2026-01-31T13:00:00.000Z'];
const post = { type: 'PostMessage', messageId: 'm1', text: 'Hello', replyTo: null, kind: 'text' } as const;

function lived(commands: readonly RoomCommand[]): RoomState {
  let state = room.initialState;
  for (const command of commands) {
    const decision = room.decide(command, state, now);
    if (isRejection(decision)) throw new Error(decision.detail);
    for (const fact of decision.events) {
      const event = { ...fact, revision: state.revision + 1n, at: now, actor: command.actor.id };
      state = room.evolve(state, event as RoomEvent);
    }
  }
  return state;
}

it('a room comes back from its snapshot with all that is in force in it', () => {
  const settings = { topic: '', visibility: 'public', history: 'full', passwordId: null } as const;
  const state = lived([
    { type: 'CreateRoom', actor: ada, name: 'Lounge', ...settings },
    { type: 'JoinRoom', actor: bob },
    { type: 'ChangeRoom', actor: ada, slowModeSeconds: 60 },
    { ...post, actor: bob },
    { type: 'ReportMessage', actor: ada, messageId: 'm1', reportId: 'r1', reason: 'Rude.' },
    { type: 'InspectRoom', actor: admin, what: 'live', reason: 'Ticket 7' },
    { type: 'MuteMember', actor: ada, userId: 'bob', reason: null, until: later },
    { type: 'BanMember', actor: ada, userId: 'cem', reason: null, until: null },
    { type: 'BanMember', actor: ada, userId: 'dora', reason: null, until: later },
  ]);
  const text = roomSnapshot.write(state);
  const read = roomSnapshot.read(text);
  expect(roomSnapshot.write(read)).toBe(text);
  expect([read.owners, read.moderation.slowModeSeconds]).toEqual([1, 60]);
  const wishes: RoomCommand[] = [
    { ...post, actor: bob, messageId: 'm2' },
    { type: 'JoinRoom', actor: { id: 'cem', role: 'user' } },
    { type: 'JoinRoom', actor: { id: 'dora', role: 'user' } },
    { type: 'ReportMessage', actor: ada, messageId: 'm1', reportId: 'r2', reason: 'Rude.' },
    { type: 'SettleReport', actor: ada, reportId: 'r1', outcome: 'acted', note: null },
    { type: 'InspectRoom', actor: admin, what: 'messages', reason: 'Ticket 7' },
    { type: 'UnmuteMember', actor: ada, userId: 'bob' },
    { type: 'RemoveMember', actor: ada, userId: 'ada', reason: null },
  ];
  for (const at of [now, later])
    for (const wish of wishes) expect(room.decide(wish, read, at)).toEqual(room.decide(wish, state, at));
});
