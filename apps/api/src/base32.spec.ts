import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { fromBase32, toBase32 } from './base32.js';

describe('base32', () => {
  // RFC 4648, section 10, without padding.
  it.each([
    ['', ''],
    ['f', 'MY'],
    ['fo', 'MZXQ'],
    ['foo', 'MZXW6'],
    ['foob', 'MZXW6YQ'],
    ['fooba', 'MZXW6YTB'],
    ['foobar', 'MZXW6YTBOI'],
  ])('of "%s" is "%s"', (plain, encoded) => {
    expect(toBase32(Buffer.from(plain))).toBe(encoded);
    expect(fromBase32(encoded)?.toString()).toBe(plain);
  });

  it('has 52 characters for 32 bytes, and decodes them again', () => {
    for (let i = 0; i < 200; i++) {
      const bytes = randomBytes(32);
      const text = toBase32(bytes);
      expect(text).toMatch(/^[A-Z2-7]{52}$/);
      expect(fromBase32(text)).toEqual(bytes);
    }
  });

  it.each(['MZXW6YTBOJ', 'mzxw6', 'MZXW6===', 'M', '0', 'MZXW6 '])('rejects "%s"', (text) => {
    expect(fromBase32(text)).toBeNull();
  });
});
