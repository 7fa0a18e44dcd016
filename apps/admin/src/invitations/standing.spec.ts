import type { Invitation } from '@verbatim/protocol';
import { expect, test } from 'vitest';
import { standingOf } from './standing';

const now = Date.parse('2026-01-31T12:00:00Z');
const good = { revoked: false, uses: 2, used: 1, expiresAt: '2026-02-01T00:00:00.000Z' } as Invitation;

test('an invitation is good until it is revoked, used up or expired', () => {
  expect(standingOf(good, now)).toBe('good');
  expect(standingOf({ ...good, uses: null, used: 99 }, now)).toBe('good');
  expect(standingOf({ ...good, revoked: true }, now)).toBe('revoked');
  expect(standingOf({ ...good, used: 2 }, now)).toBe('used_up');
  expect(standingOf({ ...good, expiresAt: '2026-01-31T12:00:00.000Z' }, now)).toBe('expired');
});
