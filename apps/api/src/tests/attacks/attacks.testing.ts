import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allAttacks, attackGroups } from './all-attacks.testing.js';
import { BesiegedService, type Siege, slowdown, summary } from './besieged-service.testing.js';

export interface Endurance {
  /** Duration of each attack. */
  readonly seconds: number;
  /** Runs the attacks of a group together; otherwise each runs alone. */
  readonly inGroups?: boolean;
  /** Duration of all attacks together; 0 skips that. */
  readonly allAtOnceSeconds: number;
  readonly calmSeconds: number;
  /** Limits of the service's JavaScript heap and of its memory in total, in MiB. */
  readonly heapMiB: number;
  readonly maxMiB: number;
  /** The most by which one attack may slow down the p99 of other people's posts. Without it, the slowdown is only printed. */
  readonly maxSlowdown?: number;
}

/** Attacks one service in every known way, one after the other and then all at once. */
export function describeAttacks({
  seconds,
  inGroups = false,
  allAtOnceSeconds,
  calmSeconds,
  ...bounds
}: Endurance): void {
  describe(`a service with ${bounds.heapMiB} MiB of heap and its default limits`, () => {
    let service: BesiegedService;
    beforeAll(async () => {
      service = await BesiegedService.start(bounds.heapMiB);
    });
    afterAll(() => service.stop());

    const expectUnharmed = (siege: Siege) => {
      console.log(summary(siege));
      expect(siege.survived, siege.output).toBe(true);
      expect(siege.attacked.failures).toEqual([]);
      for (const [name, deeds] of Object.entries(siege.deeds))
        for (const count of Object.values(deeds)) expect(count, `${name} did nothing`).toBeGreaterThan(0);
      expect(siege.maxMiB).toBeLessThan(bounds.maxMiB);
    };
    const timeoutMs = (attacked: number) => (attacked + calmSeconds) * 1_000 + 120_000;

    const waves = inGroups
      ? Object.entries(attackGroups)
      : allAttacks.map((attack) => [attack.name, [attack]] as const);
    for (const [name, attacks] of waves)
      it(
        `survives ${name}`,
        async () => {
          // A service that the previous attack brought down does not fail this test too.
          if (!service.survives) {
            await service.stop();
            service = await BesiegedService.start(bounds.heapMiB);
          }
          const siege = await service.attack(attacks, seconds, calmSeconds);
          expectUnharmed(siege);
          if (bounds.maxSlowdown !== undefined) expect(slowdown(siege)).toBeLessThan(bounds.maxSlowdown);
        },
        timeoutMs(seconds),
      );

    it.runIf(allAtOnceSeconds > 0)(
      'survives all of it at once',
      async () => expectUnharmed(await service.attack(allAttacks, allAtOnceSeconds, calmSeconds)),
      timeoutMs(allAtOnceSeconds),
    );
  });
}
