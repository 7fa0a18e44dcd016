import { limits, nameProblem } from '@verbatim/domain';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { claimText, displayNameFor, usernamesFor, verifiedEmail } from './foreign-names.js';

describe('what a provider calls somebody', () => {
  it.each([
    [['Ada  Lovelace'], 'Ada Lovelace'],
    [['\u202bنور  عادة\u202c'], 'نور عادة'],
    [['\u200b', '   ', 'ada'], 'ada'],
    [['Ada Lоvelace'], 'Ada'],
    [['ada@example.org'], 'ada'],
    [['"ada lovelace"@example.org'], 'ada lovelace'],
    [['\u0007', '\u200f \u3000'], 'fallback'],
    [[], 'fallback'],
  ])('%j becomes %j', (names, expected) => {
    expect(displayNameFor(names, 'fallback')).toBe(expected);
  });

  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    fc.string({
      unit: fc.constantFrom(
        ...'Aa àéжЖΩא\u0639\u200c\u200d\u200f\u202e\u00a0\t\n\u0000\u3164👍🏽\ufe0f龍ก\u0301',
        '👩‍👩‍👧',
      ),
    }),
  );

  it('always gives a name that the rules allow, and usernames too', () => {
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 4 }), (claims) => {
        const names = claims.map((claim) => claimText(claim) ?? '');
        const usernames = usernamesFor(names, '01985f6e-7a2c-7000-8000-0000000000a1');
        for (const username of usernames) expect(username).toMatch(/^[a-z0-9_.-]{3,32}$/);
        expect(nameProblem(displayNameFor(names, usernames[0] as string), limits.displayName)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it('is left alone where the rules allow it', () => {
    fc.assert(
      fc.property(anything, (claim) => {
        const name = (claimText(claim) ?? '').trim();
        fc.pre(nameProblem(name, limits.displayName) === null && !name.includes('@'));
        expect(displayNameFor([name], 'fallback')).toBe(name);
      }),
    );
  });

  it('is a text and not too long', () => {
    for (const claim of [null, undefined, 17, {}, ['Ada']]) expect(claimText(claim)).toBeNull();
    expect(claimText('\ud800x\u0000')).toBe('\ufffdx');
    expect(claimText('x'.repeat(1_000_000))).toHaveLength(1_000);
  });
});

it('an address counts only if it is one, and if the provider says that it is theirs', () => {
  expect(verifiedEmail({ email: ' Ada@Bücher.example ', email_verified: true })).toBe('Ada@xn--bcher-kva.example');
  for (const email_verified of [false, undefined, null, 'true', 'TRUE', 1, {}, [true]])
    expect(verifiedEmail({ email: 'ada@example.org', email_verified })).toBeNull();
  for (const email of [null, undefined, 17, 'ada', ['ada@example.org'], `${'x'.repeat(300)}@example.org`])
    expect(verifiedEmail({ email, email_verified: true })).toBeNull();
});
