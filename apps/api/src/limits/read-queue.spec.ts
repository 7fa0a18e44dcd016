import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Allowance } from './allowance.js';
import { ReadQueue, type ReadTurn } from './read-queue.js';

const limits = { inWork: 3, inWorkEach: 2, waitingEach: 4, waiting: 6, patienceMs: 10_000 };

/** A queue with its own clock, and the order in which its reads start. */
function queueOfReads(some: Partial<typeof limits> = {}) {
  const clock = { now: 0 };
  const queue = new ReadQueue({ ...limits, ...some }, () => clock.now);
  const begun: string[] = [];
  const enter = (name: string, options = {}): ReadTurn => {
    const turn = queue.enter(name[0] ?? '', options);
    turn.begins.then((rejection) => begun.push(rejection ? `${name} ${rejection.rejected}` : name));
    return turn;
  };
  return { queue, clock, begun, enter };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('the queue of reads', () => {
  it('starts two reads of one reader, and three overall', async () => {
    const { begun, enter } = queueOfReads();
    for (const name of ['a1', 'a2', 'a3', 'b1', 'b2']) enter(name);
    await settled();
    expect(begun).toEqual(['a1', 'a2', 'b1']);
  });

  it('serves readers in turn, however much one of them wants', async () => {
    const { begun, enter } = queueOfReads({ inWork: 1 });
    const turns = new Map(['a1', 'a2', 'a3', 'a4', 'b1', 'c1', 'b2'].map((name) => [name, enter(name)]));
    for (let i = 0; i < 7; i++) {
      await settled();
      turns.get(begun.at(-1) ?? '')?.leave();
    }
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
  });

  it('a response that the client does not read delays only its own reader', async () => {
    const { begun, enter } = queueOfReads();
    const untaken = [enter('a1'), enter('a2')];
    enter('a3');
    for (const turn of untaken) turn.finish();
    for (const name of ['b1', 'b2', 'c1']) enter(name);
    await settled();
    expect(begun).toEqual(['a1', 'a2', 'b1', 'b2', 'c1']);
    untaken[0]?.leave();
    // There is capacity for three at a time.
    await settled();
    expect(begun).not.toContain('a3');
  });

  it('refuses a reader with too many reads waiting', async () => {
    const { begun, enter } = queueOfReads();
    for (let i = 1; i <= 7; i++) enter(`a${i}`);
    await settled();
    expect(begun).toEqual(['a1', 'a2', 'a7 TooSoon']);
  });

  it('when too many wait overall, refuses the reader with the most, not the latest', async () => {
    const { begun, enter } = queueOfReads();
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'b1', 'b2', 'b3', 'c1']) enter(name);
    await settled();
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a6 Unavailable']);
  });

  it('patient reads are not refused', async () => {
    const { begun, enter } = queueOfReads({ patienceMs: 1 });
    for (let i = 1; i <= 20; i++) enter(`a${i}`, { patient: true });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(begun).toEqual(['a1', 'a2']);
  });

  it('others time out', async () => {
    const { begun, enter } = queueOfReads({ patienceMs: 5 });
    for (const name of ['a1', 'a2', 'a3']) enter(name);
    await expect.poll(() => begun).toEqual(['a1', 'a2', 'a3 Unavailable']);
  });

  it('a read that is cancelled while it waits never starts', async () => {
    const { queue, begun, enter } = queueOfReads({ inWork: 1 });
    const [first, second] = [enter('a1'), enter('b1')];
    second?.leave();
    first?.leave();
    await settled();
    expect(begun).toEqual(['a1', 'b1 Unavailable']);
    expect(queue.size).toBe(0);
  });

  it('pauses a reader that exceeds its pace, while others continue', async () => {
    const { clock, begun, enter } = queueOfReads();
    const pace = new Allowance({ count: 10, seconds: 0.03 });
    const first = enter('a1', { pace });
    await settled();
    clock.now = 20;
    first.leave();
    enter('a2', { pace });
    enter('b1');
    await settled();
    expect(begun).toEqual(['a1', 'b1']);
    // It has had twice its burst, and a third of the time is refilled.
    clock.now = 60;
    await expect.poll(() => begun).toEqual(['a1', 'b1', 'a2']);
  });

  it('shares elapsed time among the running reads', async () => {
    const { clock, enter } = queueOfReads();
    const first = enter('a1');
    clock.now = 10;
    const second = enter('b1');
    clock.now = 30;
    expect(second.finish()).toBe(10);
    clock.now = 35;
    // Idle time costs no one anything.
    expect(first.finish()).toBe(10 + 10 + 5);
    clock.now = 100;
    const third = enter('c1');
    clock.now = 103;
    expect([third.finish(), third.finish()]).toEqual([3, 0]);
  });

  it('whatever happens: never more running than allowed, and all together cost no more than the elapsed time', async () => {
    const step = fc.record({
      reader: fc.integer({ min: 0, max: 4 }),
      act: fc.constantFrom('enter', 'finish', 'leave'),
      which: fc.nat(20),
      ms: fc.nat(50),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const { queue, clock } = queueOfReads();
        const turns: { reader: number; turn: ReadTurn; state: 'waiting' | 'working' | 'finished' | 'left' }[] = [];
        let cost = 0;
        for (const { reader, act, which, ms } of steps) {
          clock.now += ms;
          if (act === 'enter') {
            const entry: (typeof turns)[number] = { reader, turn: queue.enter(`${reader}`), state: 'waiting' };
            turns.push(entry);
            entry.turn.begins.then(
              () => {
                if (entry.state === 'waiting') entry.state = 'working';
              },
              () => {
                entry.state = 'left';
              },
            );
          } else {
            const entry = turns[which];
            if (entry && (act === 'leave' || entry.state === 'working')) {
              cost += entry.turn.finish();
              if (act === 'leave') entry.turn.leave();
              entry.state = act === 'leave' ? 'left' : 'finished';
            }
          }
          await settled();
          const working = turns.filter(({ state }) => state === 'working');
          expect(working.length).toBeLessThanOrEqual(limits.inWork);
          for (let each = 0; each <= 4; each++) {
            const present = turns.filter(
              ({ reader, state }) => reader === each && (state === 'working' || state === 'finished'),
            );
            expect(present.length).toBeLessThanOrEqual(limits.inWorkEach);
          }
          expect(cost).toBeLessThanOrEqual(clock.now + 1e-6);
        }
        for (const { turn } of turns) turn.leave();
        await settled();
        for (const { turn } of turns) turn.leave();
        expect(queue.size).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});
