import { describe, expect, it } from 'vitest';
import type { Actor } from './decider.js';
import { given, type Past } from './given.testing.js';
import {
  inMaintenance,
  type MaintenanceEvent,
  type MaintenanceNote,
  maintenance,
  stopsInMaintenance,
} from './maintenance.js';
import { limits } from './text.js';

const admin: Actor = { id: 'admin', role: 'admin' };
const [alice, olga]: [Actor, Actor] = [
  { id: 'alice', role: 'user' },
  { id: 'olga', role: 'auditor' },
];
const plain: MaintenanceNote = { text: null, until: null };
const note: MaintenanceNote = { text: 'A new disk', until: '2026-01-31T14:00:00.000Z' };
const begin = (told = plain, actor = admin) => ({ type: 'BeginMaintenance', actor, ...told }) as const;
const end = (actor = admin) => ({ type: 'EndMaintenance', actor }) as const;
const began = (data = plain): Past<MaintenanceEvent> => ({ type: 'MaintenanceBegan', data, actor: admin.id });
const ended: Past<MaintenanceEvent> = { type: 'MaintenanceEnded', data: {}, actor: admin.id };

describe('maintenance', () => {
  it('starts with a notice, or without one', () => {
    given(maintenance, [])
      .when(begin(note))
      .then([{ type: 'MaintenanceBegan', data: note }]);
    given(maintenance, [])
      .when(begin())
      .then([{ type: 'MaintenanceBegan', data: plain }]);
    expect(given(maintenance, [began(note)]).state.on).toEqual({ ...note, since: '2026-01-31T12:00:00.000Z' });
  });

  it('continues when the notice changes, and keeps its start', () => {
    given(maintenance, [began()])
      .when(begin(note))
      .then([{ type: 'MaintenanceRevised', data: note }]);
    const { state } = given(maintenance, [began(), { type: 'MaintenanceRevised', data: note, actor: admin.id }]);
    expect(state.on).toEqual({ ...note, since: '2026-01-31T12:00:00.000Z' });
  });

  it('starts and ends once, even if two administrators do it at the same time', () => {
    given(maintenance, []).when(begin()).when(begin()).thenNothing();
    given(maintenance, [began()])
      .when(end())
      .then([{ type: 'MaintenanceEnded', data: {} }]);
    given(maintenance, [began()]).when(end()).when(end()).thenNothing();
    given(maintenance, []).when(end()).thenNothing();
    expect(given(maintenance, [began(), ended]).state.on).toBeNull();
  });

  it('can start again after its end', () => {
    given(maintenance, [began(note), ended])
      .when(begin(note))
      .then([{ type: 'MaintenanceBegan', data: note }]);
  });

  it('is for administrators alone', () => {
    for (const actor of [alice, olga]) {
      given(maintenance, []).when(begin(plain, actor)).thenRejected('NotAllowed');
      given(maintenance, [began()]).when(end(actor)).thenRejected('NotAllowed');
    }
  });

  it('has a notice that is not blank and not too long, and an expected end in the future', () => {
    given(maintenance, [])
      .when(begin({ ...plain, text: '' }))
      .thenRejected('Invalid');
    given(maintenance, [])
      .when(begin({ ...plain, text: 'x'.repeat(limits.announcement + 1) }))
      .thenRejected('Invalid');
    given(maintenance, [])
      .when(begin({ ...plain, until: '2026-01-30T12:00:00.000Z' }))
      .thenRejected('Invalid');
  });
});

describe('what maintenance stops', () => {
  it('is what people and auditors change, and new people', () => {
    for (const actor of [alice, olga])
      for (const type of ['PostMessage', 'AddReaction', 'CreateRoom', 'JoinRoom', 'ChangeUser', 'CreateToken'])
        expect([type, stopsInMaintenance({ type, actor })]).toEqual([type, true]);
    for (const origin of ['local', 'sso'])
      expect(stopsInMaintenance({ type: 'RegisterUser', actor: null, origin })).toBe(true);
  });

  it('is nothing that administrators or the service do, nor the way in, nor that somebody read', () => {
    for (const type of ['PostMessage', 'RegisterUser', 'CloseRoom'])
      expect(stopsInMaintenance({ type, actor: admin })).toBe(false);
    for (const type of ['StartSession', 'LockOutSignIn', 'AbandonRoom', 'StopWebhook'])
      expect(stopsInMaintenance({ type, actor: null })).toBe(false);
    for (const type of ['RevokeSessions', 'ChangePassword', 'EnableTotp', 'RevokeToken', 'InspectRoom'])
      expect(stopsInMaintenance({ type, actor: olga })).toBe(false);
    expect(stopsInMaintenance({ type: 'RegisterUser', actor: null, origin: 'bot' })).toBe(false);
  });

  it('may be tried again at the expected end, but neither at once nor only after hours', () => {
    const at = '2026-01-31T12:00:00.000Z';
    const waiting = (until: string | null) => inMaintenance({ text: null, until }, at).retryAfterMs;
    expect(inMaintenance(note, at)).toMatchObject({ rejected: 'Maintenance', detail: 'A new disk' });
    expect(inMaintenance(plain, at).detail).toContain('in maintenance');
    expect(waiting(null)).toBe(30_000);
    expect(waiting('2026-01-31T12:02:00.000Z')).toBe(120_000);
    expect(waiting('2026-01-31T11:00:00.000Z')).toBe(30_000);
    expect(waiting('2026-01-31T18:00:00.000Z')).toBe(300_000);
  });
});
