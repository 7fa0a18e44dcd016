import { expect, test } from 'vitest';
import { course, perMinute, processor, readFigures, type Sample } from './figures';

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
