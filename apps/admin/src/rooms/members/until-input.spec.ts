import { expect, test } from 'vitest';
import { instantOf } from './until-input';

const now = Date.parse('2026-01-31T12:00:00Z');

test('a span ends so long from now, and what lasts for good does not end', () => {
  expect(instantOf('hour', now)).toBe('2026-01-31T13:00:00.000Z');
  expect(instantOf('week', now)).toBe('2026-02-07T12:00:00.000Z');
  expect(instantOf('forever', now)).toBe(null);
});

test('a date has to be one, and to come', () => {
  expect(instantOf({ date: '2026-02-01T00:00Z' }, now)).toBe('2026-02-01T00:00:00.000Z');
  expect(instantOf({ date: '2026-01-01T00:00Z' }, now)).toBe(undefined);
  expect(instantOf({ date: '' }, now)).toBe(undefined);
});
