import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import * as fields from './fields.js';

const outcome = (schema: z.ZodType, input: unknown): unknown => {
  const result = schema.safeParse(input);
  return result.success ? result.data : (result.error.issues[0]?.message ?? 'refused');
};
const accepts = (schema: z.ZodType, input: unknown): boolean => schema.safeParse(input).success;

describe('texts', () => {
  const decomposed = 'e\u0301';
  const composed = '\u00e9';
  const astral = '\u{1f600}';

  it('are brought to normalization form C', () => {
    expect(outcome(fields.messageText, `caf${decomposed}`)).toBe(`caf${composed}`);
  });

  it('are counted in code points after that', () => {
    expect(accepts(fields.messageText, astral.repeat(8_000))).toBe(true);
    expect(accepts(fields.messageText, astral.repeat(8_001))).toBe(false);
    expect(accepts(fields.messageText, decomposed.repeat(8_000))).toBe(true);
    // This one character becomes three in form C.
    expect(accepts(fields.text(1, 2), '\u{1d160}')).toBe(false);
    expect(accepts(fields.roomTopic, '')).toBe(true);
    expect(accepts(fields.roomTopic, astral.repeat(501))).toBe(false);
  });

  it.each([
    ['', 'must not be empty'],
    ['a\u0000b', 'must not contain the NUL character'],
    ['a\ud800', 'must not contain lone surrogates'],
    ['\udc00\ud800', 'must not contain lone surrogates'],
    ['x'.repeat(8_001), 'must have at most 8000 characters'],
  ])('are refused when wrong: %j', (input, message) => {
    expect(outcome(fields.messageText, input)).toBe(message);
  });

  it.each([[1], [null], [undefined], [true], [['a']], [{ toString: 'a' }]])('are never made of %j', (input) => {
    expect(accepts(fields.messageText, input)).toBe(false);
  });

  it('are refused wherever they stand', () => {
    const schema = z.object({ list: z.array(z.object({ text: fields.messageText })) });
    const result = schema.safeParse({ list: [{ text: 'good' }, { text: '\ud83d' }] });
    expect(result.error?.issues.map(({ path }) => path)).toEqual([['list', 1, 'text']]);
  });

  it('lose the spaces around them when they are names', () => {
    expect(outcome(fields.roomName, '  engine room\n')).toBe('engine room');
    expect(outcome(fields.displayName, ' \t ')).toBe('must not be empty');
    expect(accepts(fields.displayName, ` ${'x'.repeat(80)} `)).toBe(true);
    expect(accepts(fields.displayName, 'x'.repeat(81))).toBe(false);
  });

  it('keep their spaces when they are messages', () => {
    expect(outcome(fields.messageText, '  indented ')).toBe('  indented ');
  });

  it('show something, or are empty where they may be', () => {
    for (const blank of [' ', '\u200b', '\u3164', '\u2800', '\u202e']) {
      expect(outcome(fields.messageText, blank)).toBe('must not be blank');
      expect(outcome(fields.roomTopic, blank)).toBe('must not be blank');
      expect(outcome(fields.reason, blank)).toBe('must not be blank');
    }
    expect(outcome(fields.roomTopic, '')).toBe('');
    expect(outcome(fields.reason, '')).toBe('');
    expect(outcome(fields.reason, null)).toBe(null);
  });

  it('of people are of one script, those of rooms of any', () => {
    expect(outcome(fields.roomName, 'Δt team')).toBe('Δt team');
    expect(outcome(fields.displayName, 'Δt team')).toMatch(/must not mix letters/);
  });
});

describe('usernames', () => {
  it.each([
    ['Ada', 'ada'],
    ['a_b.c-9', 'a_b.c-9'],
    ['x'.repeat(32), 'x'.repeat(32)],
  ])('take %j as %j', (input, expected) => {
    expect(outcome(fields.username, input)).toBe(expected);
  });

  it.each(['ab', 'x'.repeat(33), 'a b c', 'ädä', 'ada\n', '\u212aelvin', 'ada\u0000', ''])('refuse %j', (input) => {
    expect(accepts(fields.username, input)).toBe(false);
  });
});

describe('passwords', () => {
  it('have 10 to 1,000 code points', () => {
    expect(accepts(fields.newPassword, '\u{1f600}'.repeat(9))).toBe(false);
    expect(accepts(fields.newPassword, '\u{1f600}'.repeat(10))).toBe(true);
    expect(accepts(fields.newPassword, 'x'.repeat(1_001))).toBe(false);
  });
});

describe('e-mail addresses', () => {
  it.each([
    ['ada@example.org', 'ada@example.org'],
    ['Ada.Lovelace+log@mail.example.co.uk', 'Ada.Lovelace+log@mail.example.co.uk'],
    ['\u200f ada&bob@BÜCHER.example\u00a0', 'ada&bob@xn--bcher-kva.example'],
  ])('take %j as %j', (input, expected) => {
    expect(outcome(fields.email, input)).toBe(expected);
  });

  it.each(['ada', '@example.org', 'ada@', 'a b@example.org', 'ada@example', `${'a'.repeat(243)}@example.org`])(
    'refuse %j',
    (input) => {
      expect(accepts(fields.email, input)).toBe(false);
    },
  );
});

describe('codes of the second factor', () => {
  it.each([
    ['123 456', '123456'],
    [' 123456\n', '123456'],
    ['123-456', '123456'],
    ['123\u00a0456', '123456'],
    ['123\u2009456\u202f', '123456'],
    ['\u200e12\u200b34\ufeff56', '123456'],
    ['123–456', '123456'],
    ['１２３４５６', '123456'],
    ['١٢٣٤٥٦', '123456'],
    ['۱۲۳۴۵۶', '123456'],
    ['१२३४५६', '123456'],
    ['๑๒๓ ๔๕๖', '123456'],
    ['𝟏𝟐𝟑𝟒𝟓𝟔', '123456'],
    ['𝟣𝟤𝟥𝟜𝟝𝟞', '123456'],
    ['①②③④⑤⑥', '123456'],
    ['12345O', '123450'],
    ['ABCD-efgh-2345-6789', 'abcdefgh23456789'],
    ['ａｂｃｄ efgh\u00ad23456789', 'abcdefgh23456789'],
  ])('take %j as %j', (input, expected) => {
    expect(outcome(fields.secondFactorCode, input)).toBe(expected);
  });

  it('take the digits of every script', () => {
    for (let point = 0; point <= 0x10ffff; point++) {
      const digit = String.fromCodePoint(point);
      if (!/\p{Nd}/u.test(digit)) continue;
      const ten = Array.from({ length: 10 }, (_, i) => String.fromCodePoint(point + i)).join('');
      if (/^\p{Nd}{10}$/u.test(ten) && fields.plainCode(digit) === '0')
        expect(fields.plainCode(ten)).toBe('0123456789');
      expect(fields.plainCode(digit)).toMatch(/^[0-9]$/);
    }
  });

  it.each(['', '12345', '1 2 3 4 5', '\u200b'.repeat(6), 'x'.repeat(41), '1'.repeat(100_000)])('refuse %j', (input) => {
    expect(accepts(fields.secondFactorCode, input)).toBe(false);
  });
});

describe('emoji', () => {
  it.each([
    ['👍', '👍'],
    ['👩‍👩‍👧‍👦', '👩‍👩‍👧‍👦'],
    ['👍\ufe0f', '👍'],
    ['❤', '❤️'],
    ['1\u20e3', '1️⃣'],
  ])('are taken in one form: %j', (input, expected) => {
    expect(outcome(fields.emoji, input)).toBe(expected);
    expect(outcome(fields.formerReaction, input)).toBe(expected);
  });

  it.each(['', 'a b', '\n', 'a\u0085', '\ud83d', '👍'.repeat(17), ':+1:', 'ö', '1', '\u202e', '👍👍'])(
    'refuse %j',
    (input) => {
      expect(accepts(fields.emoji, input)).toBe(false);
    },
  );

  it('may be other short texts where they are to be removed', () => {
    for (const text of [':+1:', 'ö', '1', '\u202e']) expect(outcome(fields.formerReaction, text)).toBe(text);
    for (const text of ['', 'a b', '\n', 'x'.repeat(17), '\ud83d'])
      expect(accepts(fields.formerReaction, text)).toBe(false);
  });
});

describe('ids', () => {
  it.each([
    '01985f6e-7a2c-7000-8000-0000000000a1',
    'C56A4180-65AA-42EC-A945-5FD21DEC0538',
    '00000000-0000-0000-0000-000000000000',
  ])('take %s of any kind, in lower case', (input) => {
    expect(outcome(fields.id, input)).toBe(input.toLowerCase());
  });

  it.each([
    '',
    'me',
    '01985f6e7a2c700080000000000000a1',
    '{01985f6e-7a2c-7000-8000-0000000000a1}',
    '01985f6e-7a2c-7000-8000-0000000000a1 ',
    '01985f6e-7a2c-7000-8000-0000000000g1',
  ])('refuse %j', (input) => {
    expect(outcome(fields.id, input)).toBe('must be a UUID');
  });
});

describe('whole numbers in bodies and frames', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER])('take %d', (input) => {
    expect(outcome(fields.revision, input)).toBe(input);
  });

  it('take -0 as 0', () => {
    expect(outcome(fields.revision, JSON.parse('-0'))).toBe(0);
  });

  it.each(['-1', '1e400', '-1e400', '9007199254740992', '1e300', '0.5', '"1"', 'null', 'true', '[1]'])(
    'refuse %s',
    (json) => {
      expect(accepts(fields.revision, JSON.parse(json))).toBe(false);
    },
  );
});

describe('numbers in query strings and headers', () => {
  const limit = fields.numberParameter(fields.whole(1, 200).default(50));

  it.each([
    ['1', 1],
    ['200', 200],
    ['', 50],
    [undefined, 50],
  ])('take %j as %d', (input, expected) => {
    expect(outcome(limit, input)).toBe(expected);
  });

  it.each(['5abc', '1e2', ' 5', '5 ', '+5', '-5', '05', '0x5', '5.0', '٥', '0', '201', 'NaN', '99999999999999999999'])(
    'refuse %j',
    (input) => {
      expect(accepts(limit, input)).toBe(false);
    },
  );

  it('refuse a parameter that is given twice', () => {
    expect(accepts(limit, ['1', '2'])).toBe(false);
  });

  it('end where doubles are no longer exact', () => {
    expect(outcome(fields.positionHeader, '9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(accepts(fields.positionHeader, '9007199254740992')).toBe(false);
    expect(outcome(fields.positionHeader, undefined)).toBe(undefined);
  });
});

describe('the idempotency key', () => {
  it.each(['k', '~'.repeat(200), '{"any":"thing"}', undefined])('takes %j', (input) => {
    expect(outcome(fields.idempotencyKey, input)).toBe(input);
  });

  it.each(['', ' ', 'a b', 'ä', 'k'.repeat(201)])('refuses %j', (input) => {
    expect(accepts(fields.idempotencyKey, input)).toBe(false);
  });
});

describe('changes', () => {
  const schema = fields.changes({ name: fields.roomName, password: fields.roomPassword.nullable() });

  it('need one known field', () => {
    expect(outcome(schema, {})).toBe('must have at least one of name, password');
    expect(outcome(schema, { colour: 'red' })).toBe('must have at least one of name, password');
    expect(outcome(schema, { password: null, colour: 'red' })).toEqual({ password: null });
  });
});
