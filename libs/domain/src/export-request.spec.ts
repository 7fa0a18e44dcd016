import { describe, expect, it } from 'vitest';
import type { Actor } from './decider.js';
import { type ExportScope, exportRequest } from './export-request.js';
import { isRejection } from './rejection.js';

const auditor: Actor = { id: 'cem', role: 'auditor' };
const owner: Actor = { id: 'ada', role: 'user' };
const none = exportRequest.initialState;

const decided = (actor: Actor, scope: ExportScope, reason = 'Case 4', state = none) => {
  const command = { type: 'RequestExport', actor, scope, words: null, reason } as const;
  const decision = exportRequest.decide(command, state, '2026-01-31T12:00:00.000Z');
  return isRejection(decision) ? decision.rejected : decision.events.map(({ type }) => type);
};

describe('an export', () => {
  it('is recorded once', () => {
    expect(decided(auditor, {})).toEqual(['ExportRequested']);
    expect(decided(auditor, {}, 'Case 4', { revision: 0n })).toEqual([]);
  });

  it('of more than a room is for administrators and auditors', () => {
    expect(decided(owner, {})).toBe('NotAllowed');
    expect(decided(owner, { person: 'bob' })).toBe('NotAllowed');
    expect(decided(owner, { room: 'lounge', person: 'bob' })).toEqual(['ExportRequested']);
  });

  it('has a reason that can be seen, and ends after it begins', () => {
    expect(decided(auditor, {}, '')).toBe('Invalid');
    expect(decided(auditor, {}, '\u200b')).toBe('Invalid');
    const [early, late] = ['2026-01-01T00:00:00.000Z', '2026-01-02T00:00:00.000Z'];
    expect(decided(auditor, { from: late, to: early })).toBe('Invalid');
    expect(decided(auditor, { from: early, to: early })).toEqual(['ExportRequested']);
  });
});
