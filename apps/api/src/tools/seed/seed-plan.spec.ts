import { describe, expect, it } from 'vitest';
import { planSeed, type SeedStep } from './seed-plan.js';

const options = { users: 300, rooms: 40, messages: 5_000, seed: 7, until: '2026-01-01' };
const of = <W extends SeedStep['what']>(steps: readonly SeedStep[], what: W) =>
  steps.filter((step): step is Extract<SeedStep, { what: W }> => step.what === what);

describe('the plan of a seed', () => {
  it('has as much of everything as was wished for', () => {
    const steps = planSeed(options);
    const messages = of(steps, 'talk').reduce((sum, talk) => sum + talk.messages, 0);
    expect([of(steps, 'person').length, of(steps, 'room').length, messages]).toEqual([300, 40, 5_000]);
  });

  it('is the same for the same options, and another for another seed', () => {
    expect(planSeed(options)).toEqual(planSeed(options));
    expect(planSeed({ ...options, seed: 8 })).not.toEqual(planSeed(options));
  });

  it('goes through one year, and talks in rooms only once they were made', () => {
    const steps = planSeed(options);
    const times = steps.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBe(Date.parse('2025-01-01T00:00:00Z'));
    expect(times.at(-1)).toBeLessThan(Date.parse('2026-01-01T00:00:00Z'));
    const made = new Map(of(steps, 'room').map(({ room, at }) => [room.nth, at]));
    for (const { room, at } of of(steps, 'talk')) expect(at).toBeGreaterThan(made.get(room.nth) ?? Infinity);
  });

  it('makes rooms of very uneven size', () => {
    const messages = Array.from({ length: options.rooms }, () => 0);
    for (const talk of of(planSeed(options), 'talk'))
      messages[talk.room.rank] = (messages[talk.room.rank] ?? 0) + talk.messages;
    expect(messages[0]).toBeGreaterThan(10 * (messages.at(-1) ?? 0));
    expect(messages.at(-1)).toBeGreaterThan(0);
  });

  it.each([
    { users: 2, rooms: 1, messages: 0 },
    { users: 2, rooms: 3, messages: 1 },
    { users: 50, rooms: 1, messages: 100 },
  ])('may be as small as $users people, $rooms rooms and $messages messages', (few) => {
    const steps = planSeed({ ...options, ...few });
    expect(of(steps, 'talk').reduce((sum, talk) => sum + talk.messages, 0)).toBe(few.messages);
    expect(of(steps, 'room')).toHaveLength(few.rooms);
  });
});
