import { describe, expect, it } from 'vitest';
import type { Actor } from './decider.js';
import { type ErasureScope, erasure, type HoldScope, isHeld } from './erasure.js';
import { given } from './given.testing.js';

const admin: Actor = { id: 'adam', role: 'admin' };
const person = { kind: 'person', userId: 'bob' } as const;
const room = { kind: 'room', roomId: 'r1' } as const;
const days = (from: string, to: string) => ({ kind: 'days', roomId: 'r1', from, to }) as const;
const message = { kind: 'message', roomId: 'r1', messageId: 'm1', authorId: 'bob', day: '2026-01-15' } as const;

const request = (scope: ErasureScope, actor = admin) =>
  ({ type: 'RequestErasure', actor, erasureId: 'e1', scope, ground: 'objection', reason: 'Letter 3' }) as const;
const begin = (considered = ['h1']) =>
  ({ type: 'BeginErasure', actor: null, erasureId: 'e1', entangled: [], considered }) as const;
const finish = { type: 'FinishErasure', actor: null, erasureId: 'e1', certificate: 'signed' } as const;
const hold = (scope: HoldScope) =>
  ({ type: 'PlaceHold', actor: admin, holdId: 'h1', scope, reason: 'Case 4' }) as const;
const lift = { type: 'LiftHold', actor: admin, holdId: 'h1' } as const;

describe('an erasure', () => {
  it('is requested, begins, and is finished, each once', () => {
    const done = given(erasure, []).when(request(person)).when(begin()).when(finish);
    done.then([{ type: 'ErasureFinished', data: { erasureId: 'e1', scope: person, certificate: 'signed' } }]);
    done.when(finish).thenNothing();
    done.when(begin()).thenNothing();
    done.when(request(person)).thenNothing();
  });

  it('waits while a hold is in force, and begins when it is lifted', () => {
    const held = given(erasure, []).when(hold(room)).when(request(room));
    held.when(begin()).thenRejected('Conflict', /hold/);
    held
      .when(lift)
      .when(begin())
      .then([{ type: 'ErasureBegan', data: { erasureId: 'e1', scope: room } }]);
  });

  it('does not begin while there is a hold of which it is not known whether it forbids that', () => {
    const held = given(erasure, []).when(hold(room)).when(request(person));
    held.when(begin([])).thenRejected('Conflict', /meanwhile/);
    held.when(begin(['h1'])).then([{ type: 'ErasureBegan', data: { erasureId: 'e1', scope: person } }]);
  });

  it('is asked for by administrators, with a reason', () => {
    for (const role of ['user', 'auditor'] as const)
      given(erasure, [])
        .when(request(person, { id: 'eve', role }))
        .thenRejected('NotAllowed');
    given(erasure, [])
      .when({ ...request(person), reason: ' ' })
      .thenRejected('Invalid');
    given(erasure, []).when(lift).thenRejected('NotFound');
  });
});

describe('what a hold forbids', () => {
  const forbids = (held: HoldScope, scope: ErasureScope, entangled: string[] = []) =>
    isHeld(
      scope,
      given(erasure, [{ type: 'HoldPlaced', data: { holdId: 'h1', scope: held, reason: 'Case 4' } }]).state,
      entangled,
    );

  it('is what has something in common with it', () => {
    expect(forbids(person, person)).toBe(true);
    expect(forbids(person, message)).toBe(true);
    expect(forbids(room, room)).toBe(true);
    expect(forbids(room, message)).toBe(true);
    expect(forbids(room, days('2026-01-01', '2026-01-31'))).toBe(true);
    expect(forbids(days('2026-01-01', '2026-01-15'), message)).toBe(true);
    // It may have been edited then.
    expect(forbids(days('2026-02-01', '2026-02-28'), message)).toBe(true);
    expect(forbids(days('2026-01-01', '2026-01-15'), days('2026-01-15', '2026-01-20'))).toBe(true);
    expect(forbids(days('2026-01-01', '2026-01-15'), room)).toBe(true);
  });

  it('is nothing else', () => {
    expect(forbids({ kind: 'person', userId: 'eve' }, message)).toBe(false);
    expect(forbids({ kind: 'room', roomId: 'r2' }, message)).toBe(false);
    expect(forbids(days('2026-01-01', '2026-01-14'), message)).toBe(false);
    expect(forbids(days('2026-01-01', '2026-01-14'), days('2026-01-15', '2026-01-20'))).toBe(false);
  });

  it('depends on what a person wrote in a room, which others find out', () => {
    expect(forbids(room, person)).toBe(false);
    expect(forbids(room, person, ['h1'])).toBe(true);
  });
});
