import fc from 'fast-check';

const scripts: readonly (readonly [from: number, to: number])[] = [
  [0x20, 0x7e],
  [0x20, 0x7e],
  [0xa1, 0x24f],
  [0x250, 0x36f],
  [0x370, 0x52f],
  [0x531, 0x6ff],
  [0x700, 0x8ff],
  [0x900, 0xdff],
  [0xe00, 0xfff],
  [0x1000, 0x11ff],
  [0x1680, 0x1cff],
  [0x1e00, 0x22ff],
  [0x2460, 0x27bf],
  [0x3000, 0x33ff],
  [0x4e00, 0x4fff],
  [0xac00, 0xacff],
  [0xf900, 0xfaff],
  [0xfb00, 0xfdff],
  [0xfe00, 0xffef],
  [0x1d400, 0x1d7ff],
  [0x1f100, 0x1faff],
  [0x20000, 0x2000f],
];

/** Parts in which the ways of splitting a text meet. */
const snippets = [
  ...[
    '"',
    '“',
    '”',
    "'",
    '’',
    '-',
    ' -not ',
    '\\',
    ':*',
    '&|!()',
    '<->',
    '--',
    '_',
    '.',
    '/',
    '@',
    '#',
    '%',
    ' ',
    '  ',
    '\n',
  ],
  ...['\u200b', '\u200d', '\ufe0f', '\u00ad', '\ufeff', '\u3164', '\u0307', '\u20e3', '\u3099'],
  ...[
    'the',
    'of',
    'fileName2',
    'don’t',
    'e-mail',
    'STRASSE',
    'straße',
    'İ',
    'ı',
    'ΟΔΟΣ',
    'ﷺ',
    '㌖',
    '我家在上海',
    'ภาษาไทย',
  ],
  ...['ក្រុម', 'မြန်မာ', 'ລາວ', 'བོད་ཡིག', '서울에서', 'ガス', 'ｶﾞｽ', 'हिन्दी', 'مُحَمَّد', 'שָׁלוֹם', '٤٢', '๔๒', '½', '№5', '5㎏'],
  ...['👍', '👍🏽', '👍\ufe0f', '👩‍🚀', '🇩🇪', '🏴\u{e0067}\u{e0062}\u{e007f}', '1️⃣', '™', '©', '😀'],
  ...['https://x.org/a?b=c#d', 'AT&T;', 'C++', 'List<Invoice>', '3.14', 'a@b.org', 'x'.repeat(40)],
];

const character = fc.oneof(
  ...scripts.map(([min, max]) => fc.integer({ min, max }).map((code) => String.fromCodePoint(code))),
);

/** Texts of many scripts, of at most so many code points in normalization form C, as the service stores them. */
export const anything = (codePoints: number): fc.Arbitrary<string> =>
  fc
    .array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...snippets) }, { weight: 3, arbitrary: character }), {
      maxLength: codePoints,
      size: 'max',
    })
    .map((parts) => Array.from(parts.join('').normalize('NFC')).slice(0, codePoints).join('').normalize('NFC'));
