import { expect, test } from 'vitest';
import { keepPlace } from './keep-place';

const row = (id: string, text = id) => ({ id, text });

test('what has changed is shown where it was', () => {
  const { rows, moved } = keepPlace([row('a'), row('b')], [row('a'), row('b', 'changed')]);
  expect(rows).toEqual([row('a'), row('b', 'changed')]);
  expect(moved).toBe(false);
});

test('rows that would move stay in place, and the change is announced', () => {
  const { rows, moved } = keepPlace([row('a'), row('b')], [row('b', 'changed'), row('a')]);
  expect(rows).toEqual([row('a'), row('b', 'changed')]);
  expect(moved).toBe(true);
});

test('what has come is not squeezed in, what has gone stays as it was', () => {
  const { rows, moved } = keepPlace([row('a'), row('b')], [row('new'), row('a')]);
  expect(rows).toEqual([row('a'), row('b')]);
  expect(moved).toBe(true);
});

test('an empty list takes what comes, and a list that has become empty says so', () => {
  expect(keepPlace([], [row('a')])).toEqual({ rows: [row('a')], moved: false });
  expect(keepPlace([row('a')], [])).toEqual({ rows: [row('a')], moved: true });
});
