import { describe, expect, it } from 'vitest';
import type { Decider, Happened } from './decider.js';
import { given, recorded } from './given.testing.js';
import { reject } from './rejection.js';

type Lit = Happened<'Lit', { readonly watts: number }>;
type Broke = Happened<'Broke', Record<string, never>>;

/** A lamp breaks when it is lit above 100 watts. */
const lamp: Decider<{ lit: number; broken: boolean }, { type: 'Light'; watts: number }, Lit | Broke> = {
  category: 'lamp' as never,
  stateVersion: 1,
  initialState: { lit: 0, broken: false },
  evolve: (state, { type, data }) => (type === 'Lit' ? { ...state, lit: data.watts } : { ...state, broken: true }),
  decide: ({ watts }, { lit, broken }) => {
    if (broken) return reject('Conflict', 'The lamp is broken.');
    if (watts === lit) return { events: [], earlier: 7n };
    const light = { type: 'Lit', data: { watts } } as const;
    return { events: watts > 100 ? [light, { type: 'Broke', data: {} }] : [light] };
  },
};

describe('a story about a decider', () => {
  it('passes when the outcome is as expected', () => {
    given(lamp, [])
      .when({ type: 'Light', watts: 40 })
      .then([{ type: 'Lit', data: { watts: 40 } }]);
    given(lamp, [{ type: 'Lit', data: { watts: 40 } }])
      .when({ type: 'Light', watts: 40 })
      .thenNothing(7n);
    given(lamp, [{ type: 'Broke', data: {} }])
      .when({ type: 'Light', watts: 40 })
      .thenRejected('Conflict', /broken/);
  });

  it('goes on with what came of it', () => {
    given(lamp, []).when({ type: 'Light', watts: 400 }).when({ type: 'Light', watts: 40 }).thenRejected('Conflict');
  });

  it('fails when it came otherwise', () => {
    const lighting = given(lamp, []).when({ type: 'Light', watts: 40 });
    expect(() => lighting.then([])).toThrow();
    expect(() => lighting.then([{ type: 'Lit', data: { watts: 41 } }])).toThrow();
    expect(() => lighting.thenNothing()).toThrow();
    expect(() => lighting.thenRejected('Conflict')).toThrow('Light was accepted');

    const repeated = given(lamp, [{ type: 'Lit', data: { watts: 40 } }]).when({ type: 'Light', watts: 40 });
    expect(() => repeated.thenNothing(8n)).toThrow();

    const refused = given(lamp, [{ type: 'Broke', data: {} }]).when({ type: 'Light', watts: 40 });
    expect(() => refused.then([])).toThrow('Light was refused: Conflict');
    expect(() => refused.thenNothing()).toThrow('Light was refused');
    expect(() => refused.thenRejected('NotFound')).toThrow();
    expect(() => refused.thenRejected('Conflict', /shining/)).toThrow();
    expect(() => refused.when({ type: 'Light', watts: 1 })).toThrow('Light was refused');
  });

  it('fills in what it leaves out', () => {
    const [first, second, third] = recorded<Lit>([
      { type: 'Lit', data: { watts: 1 } },
      { type: 'Lit', data: { watts: 2 }, actor: 'alice', at: '2026-02-01T00:00:00.000Z' },
      { type: 'Lit', data: { watts: 3 } },
    ]);
    expect(first).toMatchObject({ revision: 0n, at: '2026-01-31T12:00:00.000Z', actor: null });
    expect(second).toMatchObject({ revision: 1n, at: '2026-02-01T00:00:00.000Z', actor: 'alice' });
    expect(third).toMatchObject({ revision: 2n, at: '2026-01-31T12:00:02.000Z', actor: 'alice' });
  });
});
