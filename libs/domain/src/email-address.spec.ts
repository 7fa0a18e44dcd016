import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emailAddress, emailKey } from './email-address.js';

describe('an e-mail address', () => {
  it.each([
    ['ada@example.org', 'ada@example.org'],
    ['Ada.Lovelace+log@Mail.Example.CO.UK', 'Ada.Lovelace+log@mail.example.co.uk'],
    ['marie&pierre@example.org', 'marie&pierre@example.org'],
    ["!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"],
    ['søren@example.dk', 'søren@example.dk'],
    ['zoe\u0308@example.org', 'zoë@example.org'],
    ['武@メール.グーグル', '武@xn--4dkua4c.xn--qcka1pmc'],
    ['ทดสอบ@example.org', 'ทดสอบ@example.org'],
    ['نامه\u200cای@example.org', 'نامه\u200cای@example.org'],
    ['i❤\ufe0f@example.org', 'i❤\ufe0f@example.org'],
    ['user@MÜNCHEN.example', 'user@xn--mnchen-3ya.example'],
    ['user@ｅｘａｍｐｌｅ。org', 'user@example.org'],
    ['user@XN--MNCHEN-3YA.example', 'user@xn--mnchen-3ya.example'],
    ['"grace"@example.org', 'grace@example.org'],
    ['"gr\\ace"@example.org', 'grace@example.org'],
    ['"grace hopper"@example.org', '"grace hopper"@example.org'],
    ['"a@b"@example.org', '"a@b"@example.org'],
    [`${'x'.repeat(64)}@example.org`, `${'x'.repeat(64)}@example.org`],
  ])('%j is stored as %j', (text, stored) => {
    expect(emailAddress(text)).toBe(stored);
  });

  it.each(['\u00a0', ' \t', '\u200f', '\u202a', '\r\n', '\u3000', '\ufeff', '\u200b', '\u2066'])(
    'is stored without %j around it',
    (space) => {
      expect(emailAddress(`${space}ada@example.org${space}`)).toBe('ada@example.org');
    },
  );

  it.each([
    '',
    'ada',
    '@example.org',
    'ada@',
    'ada@example',
    'ada@example.org.',
    'ada@.example.org',
    'ada@exam_ple.org',
    'ada@-example.org',
    'ada@192.0.2.1',
    'ada@0x7f.0x1',
    'ada@[192.0.2.1]',
    'ada@xn--a.org',
    'ada@mail.xn--.org',
    'ada@XN--0.org',
    'ada@exam%70le.org',
    'ada@example.org/path',
    'ada@example.org:25',
    'a b@example.org',
    'a..b@example.org',
    '.ada@example.org',
    'ada.@example.org',
    'a@b@example.org',
    'a\u200bda@example.org',
    'a\u202eda@example.org',
    'a\u115fda@example.org',
    'a\u0000@example.org',
    '\ud83d@example.org',
    '"ada@example.org',
    '"a"b"@example.org',
    'Ada <ada@example.org>',
    `${'x'.repeat(65)}@example.org`,
    `${'ö'.repeat(33)}@example.org`,
    `ada@${'x'.repeat(64)}.org`,
    `ada@${'x'.repeat(60)}.${'y'.repeat(60)}.${'z'.repeat(60)}.${'w'.repeat(60)}.example.org`,
  ])('is not %j', (text) => {
    expect(emailAddress(text)).toBeNull();
  });

  it('is read in a time that grows with its length, and given up when it is very long', () => {
    for (const part of [' ', 'a', 'a.', '"\\', '\u200c', '@']) expect(emailAddress(part.repeat(100_000))).toBeNull();
  });
});

describe('two e-mail addresses', () => {
  it.each([
    ['Ada@Example.org', 'ada@EXAMPLE.ORG'],
    ['ADA@straße.example', 'ada@XN--STRAE-OQA.example'],
    ['STRASSE@example.org', 'straße@example.org'],
    ['ΟΔΟΣ@example.org', 'οδος@example.org'],
    ['İpek@example.org', 'i\u0307pek@example.org'],
    ['"ada"@example.org', ' ada@example.org\u00a0'],
    ['zoe\u0308@example.org', 'ZOË@example.org'],
  ])('%j and %j are one', (one, other) => {
    expect(emailKey(one)).toBe(emailKey(other));
  });

  it.each([
    ['mıke@example.org', 'mike@example.org'],
    ['ada@example.org', 'аda@example.org'],
    ['ada+x@example.org', 'ada@example.org'],
    ['a.da@example.org', 'ada@example.org'],
    ['ada@example.org', 'ada@example.com'],
  ])('%j and %j are two', (one, other) => {
    expect(emailKey(one)).not.toBe(emailKey(other));
  });
});

describe('any text', () => {
  const atom = fc.string({
    unit: fc.constantFrom(...'abcXYZ0189!#$%&*+/=?^_`{|}~-öÉßΣσςжШ用ทक', 'e\u0301'),
    minLength: 1,
    maxLength: 10,
  });
  const label = fc.string({ unit: fc.constantFrom(...'abcXYZ019öÉ用ж'), minLength: 1, maxLength: 10 });
  const address = fc
    .tuple(fc.array(atom, { minLength: 1, maxLength: 2 }), fc.array(label, { minLength: 1, maxLength: 3 }))
    .map(([local, domain]) => `${local.join('.')}@${domain.join('.')}.example`);
  const anything = fc.oneof(address, fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'grapheme' }));

  it('that is an address stays what it became', () => {
    fc.assert(
      fc.property(anything, (text) => {
        const stored = emailAddress(text);
        if (stored === null) return;
        expect(emailAddress(stored)).toBe(stored);
        expect(emailKey(stored)).toBe(emailKey(text));
        expect(stored).toBe(stored.normalize('NFC'));
        expect(stored.split('@').at(-1)).toMatch(/^[a-z0-9.-]+$/);
        expect(stored.isWellFormed()).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('has a key that no case, normalization or space around it changes', () => {
    fc.assert(
      fc.property(address, (text) => {
        expect(emailAddress(text)).not.toBeNull();
        for (const same of [text.toUpperCase(), text.toLowerCase(), text.normalize('NFD'), `\u200e ${text}\t`])
          expect(emailKey(same)).toBe(emailKey(text));
      }),
      { numRuns: 1_000 },
    );
  });
});
