import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairSlots, fairSlotsLimits, type Turn } from './fair-slots.js';

const { slots, ofOwner, open } = fairSlotsLimits;

/** Receivers that answer after a given time, on a simulated clock. */
class Site {
  now = 0;
  running = 0;
  most = 0;
  private readonly events: { at: number; happen: () => void }[] = [];
  readonly lanes = new FairSlots(fairSlotsLimits, () => this.now);

  /** Sends something; returns how long it waited for its slot. */
  async send(turn: Turn, takesMs: number): Promise<number> {
    const asked = this.now;
    return this.lanes.run(turn, async () => {
      const waited = this.now - asked;
      this.most = Math.max(this.most, ++this.running);
      await this.pass(takesMs);
      this.running -= 1;
      return waited;
    });
  }

  pass(milliseconds: number): Promise<void> {
    return new Promise((happen) => this.events.push({ at: this.now + milliseconds, happen }));
  }

  /** Lets time pass until then. */
  async until(end: number): Promise<void> {
    for (;;) {
      await settled();
      this.events.sort((a, b) => a.at - b.at);
      if ((this.events[0]?.at ?? Number.POSITIVE_INFINITY) > end) break;
      const next = this.events.shift();
      this.now = next?.at ?? this.now;
      next?.happen();
    }
    this.now = end;
  }

  /** An owner whose receiver is always sent the next event immediately. */
  async busy(turn: Turn, takesMs: number): Promise<never> {
    for (;;) await this.send(turn, takesMs);
  }
}

/** Resolves when everything that needs no time has run. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

/** 320 receivers that answer after 9 s, and what they have in common. */
const attacks: [string, (i: number) => Turn][] = [
  ['of one owner in one room', () => ({ owner: 'eve', room: 'lair', pace: 'unknown' })],
  ['of one owner in many rooms', (i) => ({ owner: 'eve', room: `lair ${i}`, pace: 'unknown' })],
  ['of many owners in one room', (i) => ({ owner: `eve ${i}`, room: 'lair', pace: 'unknown' })],
  ['of sixteen owners in sixteen rooms', (i) => ({ owner: `eve ${i % 16}`, room: `lair ${i >> 4}`, pace: 'slow' })],
];

describe.each(attacks)('320 slow receivers %s', (_, turnOf) => {
  it.each(['quick', 'unknown'] as const)('do not keep %s receivers of others waiting', async (pace) => {
    const site = new Site();
    for (let i = 0; i < 320; i++) void site.busy(turnOf(i), 9_000);
    const waits: number[] = [];
    void (async () => {
      for (;;) {
        waits.push(await site.send({ owner: 'ada', room: 'lounge', pace }, 20));
        await site.pass(500);
      }
    })();
    await site.until(120_000);
    expect(waits.length).toBeGreaterThan(200);
    expect(Math.max(...waits)).toBe(0);
    expect(site.most).toBeLessThanOrEqual(slots);
  });
});

it('one owner never has more than their share in progress', async () => {
  const site = new Site();
  for (let i = 0; i < 100; i++) void site.busy({ owner: 'eve', room: `${i % 9}`, pace: 'quick' }, 50);
  await site.until(10_000);
  expect(site.most).toBe(ofOwner);
});

it('among the slow, each owner gets as much as any other, however many webhooks they have', async () => {
  const site = new Site();
  const done = new Map<string, number>();
  const work = async (owner: string, room: string) => {
    for (;;) {
      await site.send({ owner, room, pace: 'slow' }, 1_000);
      done.set(owner, (done.get(owner) ?? 0) + 1);
    }
  };
  // Ten owners, who want 16 or 160 at a time, share 64.
  for (let owner = 0; owner < 10; owner++)
    for (let i = 0; i < (owner % 2 ? 160 : 16); i++) void work(`${owner}`, `${owner} ${i % 8}`);
  await site.until(300_000);
  const counts = [...done.values()];
  expect(done.size).toBe(10);
  expect(Math.max(...counts) / Math.min(...counts)).toBeLessThan(1.2);
  expect(counts.reduce((sum, one) => sum + one)).toBeGreaterThan(0.95 * open.slow * 300);
});

it('an owner who uses little for a while is within their budget again', async () => {
  const site = new Site();
  const burst = { owner: 'ada', room: 'lounge', pace: 'quick' } as const;
  for (let i = 0; i < 4; i++) void site.send(burst, 30_000);
  for (let i = 0; i < 200; i++) void site.busy({ owner: `eve ${i}`, room: `lair ${i}`, pace: 'slow' }, 9_000);
  await site.until(31_000);
  const after = site.send(burst, 10);
  await site.until(31_001);
  expect(await Promise.race([after, Promise.resolve('waits')])).toBe('waits');
  await site.until(200_000);
  await after;
  const later = site.send(burst, 10);
  await site.until(200_020);
  expect(await later).toBe(0);
});

it('every delivery gets its turn', async () => {
  const turn = fc.record({
    owner: fc.nat(5).map(String),
    room: fc.nat(5).map(String),
    pace: fc.constantFrom('quick' as const, 'unknown' as const, 'slow' as const),
  });
  const sending = fc.record({ turn, at: fc.nat(20_000), takes: fc.nat(10_000) });
  await fc.assert(
    fc.asyncProperty(fc.array(sending, { maxLength: 300 }), async (sendings) => {
      const site = new Site();
      let done = 0;
      for (const { turn, at, takes } of sendings)
        void site
          .pass(at)
          .then(() => site.send(turn, takes))
          .then(() => done++);
      await site.until(3_600_000);
      expect(done).toBe(sendings.length);
      expect(site.running).toBe(0);
    }),
    { numRuns: 50 },
  );
});
