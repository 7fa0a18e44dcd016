import { expect, it } from 'vitest';
import { Semaphore } from './semaphore.js';

it('runs a limited number at a time, the rest in order, and refuses what exceeds the queue', async () => {
  const semaphore = new Semaphore(2, 1);
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const work = (name: string) => () =>
    new Promise<string>((resolve) => {
      begun.push(name);
      ends.push(() => resolve(name));
    });

  const running = ['a', 'b', 'c'].map((name) => semaphore.tryRun(work(name)));
  expect(semaphore.tryRun(work('d'))).toBeNull();
  expect(begun).toEqual(['a', 'b']);
  ends.shift()?.();
  expect(await running[0]).toBe('a');
  await Promise.resolve();
  expect(begun).toEqual(['a', 'b', 'c']);
});

it('continues after failed work', async () => {
  const semaphore = new Semaphore(1);
  await expect(semaphore.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await semaphore.run(async () => 'done')).toBe('done');
});
