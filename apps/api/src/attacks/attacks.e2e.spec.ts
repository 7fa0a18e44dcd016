import { describe, expect, it } from 'vitest';
import { allAttacks } from './all-attacks.testing.js';
import { besiege, summary } from './siege.testing.js';

/** MiB of heap, and of memory in all, that the service has. */
const HEAP_MIB = 160;
const MOST_MIB = 512;

describe('a service with a small heap and its default limits', () => {
  it.each(allAttacks.map((attack) => [attack.name, attack] as const))(
    'survives %s',
    async (_, attack) => {
      const siege = await besiege({ attacks: [attack], seconds: 4, calmSeconds: 1, heapMiB: HEAP_MIB });
      console.log(summary(siege));
      expect(siege.survived, siege.output).toBe(true);
      expect(siege.attacked.failures).toEqual([]);
      expect(siege.mostMiB).toBeLessThan(MOST_MIB);
    },
    120_000,
  );
});
