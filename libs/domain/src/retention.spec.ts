import { describe, expect, it } from 'vitest';
import type { Actor } from './decider.js';
import { type ErasureCommand, type ErasureEvent, type ErasureState, erasure } from './erasure.js';
import { given, type Past } from './given.testing.js';
import { isRejection } from './rejection.js';
import { lastDayToErase, type RetentionScope, retentionRuleFor } from './retention.js';

const admin: Actor = { id: 'adam', role: 'admin' };
const server = { kind: 'server' } as const;
const direct = { kind: 'visibility', visibility: 'direct' } as const;
const room = { kind: 'room', roomId: 'r1' } as const;

const set = (ruleId: string, scope: RetentionScope, days: number | null, actor = admin) =>
  ({ type: 'SetRetentionRule', actor, ruleId, scope, days, reason: 'Policy 2' }) as const;
const remove = (ruleId: string) => ({ type: 'RemoveRetentionRule', actor: admin, ruleId, reason: 'Policy 3' }) as const;
const days = { kind: 'days', roomId: 'r1', from: '2026-01-01', to: '2026-01-31' } as const;
const request = (erasureId: string, ruleId: string) =>
  ({
    type: 'RequestErasure',
    actor: null,
    erasureId,
    scope: days,
    ground: 'no_longer_needed',
    reason: 'x',
    ruleId,
  }) as const;
const begin = (erasureId: string) =>
  ({ type: 'BeginErasure', actor: null, erasureId, entangled: [], considered: [] }) as const;

/** The state after some commands, each of which is accepted. */
function after(...commands: ErasureCommand[]): ErasureState {
  const past: Past<ErasureEvent>[] = [];
  for (const command of commands) {
    const decision = erasure.decide(command, given(erasure, past).state, '2026-02-01T12:00:00.000Z');
    if (isRejection(decision)) throw new Error(decision.detail);
    for (const event of decision.events)
      past.push({ ...event, actor: command.actor?.id ?? null } as Past<ErasureEvent>);
  }
  return given(erasure, past).state;
}
const rules = (...commands: ErasureCommand[]) => [...after(...commands).rules.entries()];
const waiting = (...commands: ErasureCommand[]) => [...after(...commands).pending.entries()];

describe('a rule of retention', () => {
  it('is set by administrators, with a reason, for 1 to 36,525 days or for good', () => {
    given(erasure, [])
      .when(set('k1', server, 30))
      .then([{ type: 'RetentionRuleSet', data: { ruleId: 'k1', scope: server, days: 30, reason: 'Policy 2' } }]);
    given(erasure, [])
      .when(set('k1', room, null))
      .then([{ type: 'RetentionRuleSet', data: { ruleId: 'k1', scope: room, days: null, reason: 'Policy 2' } }]);
    given(erasure, [])
      .when(set('k1', server, 30))
      .when(set('k1', server, 30))
      .thenNothing();
    for (const wrong of [0, -1, 1.5, 36_526, Number.NaN])
      given(erasure, [])
        .when(set('k1', server, wrong))
        .thenRejected('Invalid');
    given(erasure, [])
      .when({ ...set('k1', server, 30), reason: ' ' })
      .thenRejected('Invalid');
    for (const role of ['user', 'auditor'] as const)
      given(erasure, [])
        .when(set('k1', server, 30, { id: 'eve', role }))
        .thenRejected('NotAllowed');
  });

  it('takes the place of the one for the same rooms, and is removed', () => {
    expect(
      rules(set('k1', server, 30), set('k2', direct, 7), set('k3', server, 60))
        .map(([id]) => id)
        .sort(),
    ).toEqual(['k2', 'k3']);
    const one = given(erasure, []).when(set('k1', server, 30));
    one
      .when(remove('k1'))
      .then([{ type: 'RetentionRuleRemoved', data: { ruleId: 'k1', scope: server, reason: 'Policy 3' } }]);
    one.when(remove('k1')).when(remove('k1')).thenRejected('NotFound');
  });

  it('counts where there is no more specific one: room, then visibility, then server', () => {
    const all = rules(set('k1', direct, 7), set('k2', room, null), set('k3', server, 30));
    const ruleOf = (roomId: string, visibility: 'direct' | 'public') =>
      retentionRuleFor(all, { roomId, visibility })?.[1].days;
    expect(ruleOf('r1', 'direct')).toBe(null);
    expect(ruleOf('r2', 'direct')).toBe(7);
    expect(ruleOf('r2', 'public')).toBe(30);
    expect(retentionRuleFor(rules(set('k1', direct, 7)), { roomId: 'r2', visibility: 'public' })).toBe(null);
  });
});

describe('what a rule has asked for', () => {
  it('is withdrawn with the rule, or when another is set, unless it has begun', () => {
    const asked = [set('k1', server, 30), request('e1', 'k1'), request('e2', 'k1')] as const;
    expect(waiting(...asked)[0]?.[1]).toMatchObject({ by: null, ruleId: 'k1' });
    for (const change of [remove('k1'), set('k2', room, null)])
      expect(waiting(...asked, begin('e1'), change).map(([id]) => id)).toEqual(['e1']);
    given(erasure, [])
      .when(set('k1', server, 30))
      .when(request('e2', 'k1'))
      .when(remove('k1'))
      .when(begin('e2'))
      .thenNothing();
    given(erasure, [])
      .when(set('k1', server, 30))
      .when(remove('k1'))
      .when(request('e1', 'k1'))
      .thenRejected('NotFound');
  });

  it('does not touch what people have asked for', () => {
    const { ruleId: _, ...own } = { ...request('e1', ''), actor: admin };
    const [asked] = waiting(own, set('k1', server, 30), remove('k1'));
    expect(asked?.[1]).toMatchObject({ by: 'adam', ruleId: null });
  });
});

describe('the last day to erase', () => {
  it('is one whose texts are all older than so many whole days', () => {
    expect(lastDayToErase('2026-03-01', 1)).toBe('2026-02-27');
    expect(lastDayToErase('2024-03-01', 1)).toBe('2024-02-28');
    expect(lastDayToErase('2026-01-01', 365)).toBe('2024-12-31');
  });
});
