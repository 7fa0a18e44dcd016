import fc from 'fast-check';
import { expect, test } from 'vitest';
import { forkOf, placesOf } from './interval-tree.js';

const revision = fc.bigInt({ min: 0n, max: 2n ** 39n });

test('an interval is filed under a place that lies in it', () => {
  fc.assert(
    fc.property(revision, fc.bigInt({ min: 1n, max: 2n ** 20n }), (since, length) => {
      const fork = forkOf(since, since + length);
      expect(fork >= since && fork < since + length).toBe(true);
    }),
  );
});

test('an interval that holds a revision is filed under one of its places', () => {
  fc.assert(
    fc.property(
      revision,
      fc.bigInt({ min: 1n, max: 2n ** 20n }),
      fc.bigInt({ min: 0n, max: 2n ** 20n }),
      (since, length, n) => {
        const within = since + (n % length);
        const { upTo, beyond } = placesOf(within);
        expect([...upTo, ...beyond]).toContain(forkOf(since, since + length));
      },
    ),
  );
});

test('a revision has few places', () => {
  fc.assert(
    fc.property(revision, (at) => {
      const { upTo, beyond } = placesOf(at);
      expect(upTo.length + beyond.length).toBeLessThanOrEqual(41);
      expect(upTo).toContain(at);
    }),
  );
});
