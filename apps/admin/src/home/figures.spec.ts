import { expect, test } from 'vitest';
import { course, lately, parts, perMinute, processor, readFigures, type Sample } from './figures';

const sample = (seconds: number, figures: Record<string, number>): Sample => ({
  at: seconds * 1_000,
  ready: 'ready',
  detail: null,
  figures,
});

test('figures of Prometheus are read, those with labels passed over', () => {
  const text =
    '# HELP a Anything\n# TYPE a gauge\na 3\nb{le="1"} 4\nc 1.5e3\nd NaN\n\nprocess_cpu_seconds_total 0.25 1700000000000\n';
  expect(readFigures(text)).toEqual({ a: 3, c: 1_500, process_cpu_seconds_total: 0.25 });
});

test('a figure is followed over time, with gaps where it was not told', () => {
  expect(course([sample(1, { a: 1 }), sample(2, {}), sample(3, { a: 2 })], 'a')).toEqual([
    { at: 1_000, value: 1 },
    { at: 3_000, value: 2 },
  ]);
});

test('growth is told for each minute, over the minute before', () => {
  const samples = [sample(0, { a: 10 }), sample(30, { a: 20 }), sample(60, { a: 20 }), sample(120, { a: 20 })];
  expect(perMinute(samples, 'a').map(({ value }) => value)).toEqual([20, 10, 0]);
});

test('a restart is no negative growth', () => {
  expect(perMinute([sample(0, { a: 500 }), sample(60, { a: 4 })], 'a')).toEqual([{ at: 60_000, value: 0 }]);
});

test('the use of the processor is that of the last stretch', () => {
  const used = (seconds: number, cpu: number) => sample(seconds, { process_cpu_seconds_total: cpu });
  expect(processor([used(0, 0), used(10, 5), used(20, 7.5)])).toBe(25);
  expect(processor([used(0, 0)])).toBeNull();
});

test('what a turn took is that of the last minute, and nothing if there was none', () => {
  const turns = (seconds: number, sum: number, count: number) => sample(seconds, { sum, count });
  const samples = [turns(0, 9, 1), turns(60, 10, 100), turns(90, 12, 200), turns(120, 12, 200)];
  expect(lately(samples, 'sum', 'count')).toBe(0.02);
  expect(lately([turns(0, 9, 1), turns(60, 9, 1)], 'sum', 'count')).toBeNull();
});

test('what the service stands on is up unless it tells that it is missing', () => {
  const up = (detail: string | null) =>
    parts({ ...sample(0, {}), ready: detail === null ? 'ready' : 'not ready', detail }).map((part) => part.up);
  expect(up(null)).toEqual([true, true, true, true]);
  expect(up('Not ready: event store, read models.')).toEqual([true, false, true, false]);
  expect(up('Not ready: shutting down.')).toEqual([]);
});
