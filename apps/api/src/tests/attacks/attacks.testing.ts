import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allAttacks } from './all-attacks.testing.js';
import { BesiegedService, type Siege, slowdown, summary } from './besieged-service.testing.js';

export interface Endurance {
  /** Of each attack, and of all at once; 0 leaves those out. */
  readonly seconds: number;
  readonly allAtOnceSeconds: number;
  readonly calmSeconds: number;
  /** MiB of JavaScript's heap, and of memory in all, that the service has. */
  readonly heapMiB: number;
  readonly mostMiB: number;
  /** How many times as long as usual 99 of 100 posts of others may take during one attack; absent: that is only printed. */
  readonly mostSlowdown?: number;
}

/** Attacks one service with everything there is, one after the other and then all at once. */
export function describeAttacks({ seconds, allAtOnceSeconds, calmSeconds, ...bounds }: Endurance): void {
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
      expect(siege.mostMiB).toBeLessThan(bounds.mostMiB);
    };
    const patience = (attacked: number) => (attacked + calmSeconds) * 1_000 + 120_000;

    for (const attack of allAttacks)
      it(
        `survives ${attack.name}`,
        async () => {
          // One that did not survive the attack before does not decide this one.
          if (!service.survives) {
            await service.stop();
            service = await BesiegedService.start(bounds.heapMiB);
          }
          const siege = await service.attack([attack], seconds, calmSeconds);
          expectUnharmed(siege);
          if (bounds.mostSlowdown !== undefined) expect(slowdown(siege)).toBeLessThan(bounds.mostSlowdown);
        },
        patience(seconds),
      );

    it.runIf(allAtOnceSeconds > 0)(
      'survives all of it at once',
      async () => expectUnharmed(await service.attack(allAttacks, allAtOnceSeconds, calmSeconds)),
      patience(allAtOnceSeconds),
    );
  });
}
