import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { z } from 'zod';

// Odd values, and the plain ones beside which they are sent. Nothing here knows a call or a frame: which of the odd
// values are wrong in a place is decided by the schema of that place.

/** One odd value: what it is, for a person, and its bytes. */
export interface Odd {
  readonly what: string;
  readonly bytes: Buffer;
}

/** Long values consist of this letter, so that an answer which echoes one is found out. */
export const LONG = 'Q';
const long = (length: number): string => LONG.repeat(length);

/** Every value is drawn from one seed, which is printed and can be set, so that a failure can be had again. */
export class Chance {
  private drawn = 0;

  constructor(readonly seed: number) {}

  /** Draws `count` values; the next call draws others. */
  some<T>(values: fc.Arbitrary<T>, count: number): T[] {
    return fc.sample(values, { seed: this.seed + ++this.drawn, numRuns: count });
  }

  one<T>(values: fc.Arbitrary<T>): T {
    return this.some(values, 1)[0] as T;
  }
}

export const seedOfThisRun = (): number => Number(process.env.BAD_INPUT_SEED ?? Date.now() % 2 ** 31);

// Odd JSON ----------------------------------------------------------------------------------------------------------

const json = (what: string, text: string | Buffer): Odd => ({ what, bytes: Buffer.from(text) });
const deep = (levels: number, open: string, inside: string, close: string): string =>
  open.repeat(levels) + inside + close.repeat(levels);

/** What to put where a value belongs in a JSON text. Not all of it is JSON. */
const oddJson: readonly Odd[] = [
  ...['null', 'true', '-1', '0.5', '-0', '1e400', '-1e400', '9007199254740992', '1e21', '[]', '{}', '""'].map((text) =>
    json(text, text),
  ),
  ...['NaN', 'Infinity', 'undefined', '', '0x10', '01', '+1', '.5', "'hello'", '`hello`', '"hello', 'hello'].map(
    (text) => json(`${text || 'nothing'}, which is no JSON`, text),
  ),
  json('a number of 400 digits', '9'.repeat(400)),
  json('spaces', '"   "'),
  json('NUL', '"\\u0000"'),
  json('text with NUL in it', '"hello\\u0000hello"'),
  json('a raw control character', '"hello\u0001"'),
  json('a raw NUL', '"hello\u0000"'),
  json('a lone high surrogate', '"\\ud800"'),
  json('a lone low surrogate in text', '"hello\\udc00hello"'),
  json('surrogates in the wrong order', '"\\udc00\\ud800"'),
  json('half an escape', '"\\u00"'),
  json('a huge text', JSON.stringify(long(100_000))),
  json('a text with spaces that are not', '"\u00a0\u2028\ufeff"'),
  json('an array with a text', '["hello"]'),
  json('nested objects', '{"hello":{"hello":[{"hello":null}]}}'),
  json('an operator', '{"$ne":null}'),
  json('__proto__', '{"__proto__":{"role":"admin"}}'),
  json('constructor', '{"constructor":{"prototype":{"role":"admin"}}}'),
  json('an object that claims to be a text', '{"length":5,"toString":"hello","valueOf":"hello"}'),
  json('deep arrays', deep(5_000, '[', '', ']')),
  json('deep objects', deep(5_000, '{"a":', '1', '}')),
  json('bytes that are no UTF-8', Buffer.from('"hello \xff\xfe"', 'latin1')),
  json('a cut UTF-8 character', Buffer.from('"hello \xf0\x9f\x91"', 'latin1')),
  json('overlong UTF-8', Buffer.from('"\xc0\xaf"', 'latin1')),
  json('a surrogate in UTF-8', Buffer.from('"\xed\xa0\x80"', 'latin1')),
];

/** What to send where a whole JSON text belongs. */
const oddDocuments: readonly Odd[] = [
  ...['', '   ', 'null', 'true', '1', '"hello"', '[]', '[[]]', '[{}]', '{', '}', '{}{}', '{"":', 'NaN'].map((text) =>
    json(text ? `the document ${text}` : 'no bytes', text),
  ),
  json('closed arrays of 60,000 levels', deep(60_000, '[', '', ']')),
  json('open arrays of 100,000 levels', '['.repeat(100_000)),
  json('open objects of 20,000 levels', '{"a":'.repeat(20_000)),
  json('closed objects of 20,000 levels', deep(20_000, '{"a":', '{}', '}')),
  json('XML', '<?xml version="1.0"?><hello/>'),
  json('a form', 'hello=hello&a[b]=c'),
  json('NUL bytes', Buffer.alloc(64)),
  json('bytes that are no UTF-8', Buffer.from([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])),
];

/** An object written as JSON, field by field, so that each value can be any bytes. */
export function written(fields: Readonly<Record<string, Buffer>>): Buffer {
  const parts = Object.entries(fields).map(([name, value]) =>
    Buffer.concat([textBytes(`${JSON.stringify(name)}:`), value]),
  );
  return Buffer.concat([
    textBytes('{'),
    ...parts.flatMap((part, i) => (i ? [textBytes(','), part] : [part])),
    textBytes('}'),
  ]);
}

export const plainJson = (value: unknown): Buffer => textBytes(JSON.stringify(value));

const textBytes = (text: string): Buffer => Buffer.from(text);

/** Whether a place with this schema takes these bytes. Without a schema anything that can be read is taken. */
export function takes(schema: z.ZodType | undefined, bytes: Buffer): boolean {
  if (bytes.length === 0) return schema === undefined || schema.safeParse(undefined).success;
  if (!isUtf8(bytes)) return false;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    return false;
  }
  return schema === undefined || schema.safeParse(value).success;
}

/** One wrong object: `field` is the one field that is wrong in it, where there is just one. */
export interface WrongObject extends Odd {
  readonly field?: string;
}

/** Objects that are right but for one field: each field in turn is left out, odd, twice there, or random. */
export function wrongInOneField(schema: z.ZodType, chance: Chance): WrongObject[] {
  const fields = fieldsOf(schema);
  const right = rightObject(schema);
  const rightBytes = Object.fromEntries(Object.entries(right).map(([name, value]) => [name, plainJson(value)]));
  return Object.entries(fields).flatMap(([field, fieldSchema]) => {
    const odd = [
      ...oddJson,
      ...chance.some(fc.json({ maxDepth: 3 }), 4).map((text) => json(`random ${text.slice(0, 60)}`, text)),
    ];
    const { [field]: _, ...others } = rightBytes;
    const wrong: WrongObject[] = [
      { what: `${field} missing`, bytes: written(others) },
      ...odd.map(({ what, bytes }) => ({
        what: `${field}: ${what}`,
        bytes: written({ ...rightBytes, [field]: bytes }),
        // A random value may be right for the field and wrong only beside the others.
        field: takes(fieldSchema, bytes) ? undefined : field,
      })),
      {
        what: `${field} twice`,
        bytes: Buffer.concat([plainJson(right).subarray(0, -1), textBytes(`,"${field}":[{}]}`)]),
        field,
      },
    ];
    return wrong.filter(({ bytes }) => !takes(schema, bytes));
  });
}

/** Documents that are wrong as a whole. */
export function wrongDocuments(schema: z.ZodType | undefined, chance: Chance): WrongObject[] {
  const right = schema ? plainJson(rightObject(schema)) : textBytes('{}');
  const wrong: Odd[] = [
    ...oddDocuments,
    { what: 'two byte order marks before it', bytes: Buffer.concat([textBytes('\ufeff\ufeff'), right]) },
    { what: 'UTF-16', bytes: Buffer.from(right.toString(), 'utf16le') },
    { what: 'something after it', bytes: Buffer.concat([right, textBytes('hello')]) },
    { what: 'a comment', bytes: Buffer.concat([textBytes('/* hello */'), right]) },
    { what: 'all of it in __proto__', bytes: Buffer.concat([textBytes('{"__proto__":'), right, textBytes('}')]) },
    { what: 'all of it in an array', bytes: Buffer.concat([textBytes('['), right, textBytes(']')]) },
    { what: 'all of it as a text', bytes: textBytes(JSON.stringify(right.toString())) },
    { what: 'compressed', bytes: Buffer.from([0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0]) },
    ...(schema ? [nothingRight(schema, 'null'), nothingRight(schema, '[{"a":1e400}]')] : []),
    ...chance.some(fc.nat(), 4).map((n) => cut(right, n % right.length)),
    ...chance.some(fc.tuple(fc.nat(), fc.nat(255)), 8).map(([n, byte]) => spoilt(right, n % right.length, byte)),
  ];
  return wrong.filter(({ bytes }) => !takes(schema, bytes));
}

const cut = (right: Buffer, length: number): Odd => ({
  what: `cut to ${length} bytes`,
  bytes: right.subarray(0, length),
});

function spoilt(right: Buffer, place: number, byte: number): Odd {
  const bytes = Buffer.from(right);
  bytes[place] = byte;
  return { what: `byte ${place} is ${byte}`, bytes };
}

function nothingRight(schema: z.ZodType, value: string): Odd {
  const fields = Object.keys(fieldsOf(schema)).map((name) => [name, textBytes(value)]);
  return { what: `every field ${value}`, bytes: written(Object.fromEntries(fields)) };
}

// Right values ------------------------------------------------------------------------------------------------------

/** Nothing has this id. */
const plainId = '01985f6e-7a2c-7000-8000-0000000000a1';

/** For each kind of field there is one that fits. */
const plainValues: readonly unknown[] = [
  'hello',
  'hello hello hello',
  plainId,
  'ada@example.org',
  '👍',
  '0'.repeat(32),
  '0'.repeat(24),
  0,
  1,
  true,
  '1',
  '2999-01-31T12:00:00Z',
  ['read'],
  ['MessagePosted'],
  'https://example.org/hello',
];

/** The fields of an object's schema, whatever defaults and refinements are around it. */
export function fieldsOf(schema: z.ZodType): Readonly<Record<string, z.ZodType>> {
  if (schema instanceof z.ZodObject) return schema.shape;
  const { innerType } = schema.def as { innerType?: z.ZodType };
  if (!innerType) throw new Error('Bad input is generated for objects only; teach fieldsOf about this schema.');
  return fieldsOf(innerType);
}

/** The fields that take the id of something and nothing else. A client's own id for what it makes is no such field. */
export const referencesOf = (schema: z.ZodType): string[] =>
  Object.entries(fieldsOf(schema))
    .filter(([name]) => name !== 'id')
    .filter(([, field]) =>
      plainValues.every((value) => value === plainId || typeof value !== 'string' || !field.safeParse(value).success),
    )
    .filter(([, field]) => field.safeParse(plainId).success)
    .map(([name]) => name);

/** An object that its schema takes, with every field that can be there at all. */
export function rightObject(schema: z.ZodType): Record<string, unknown> {
  const values = Object.entries(fieldsOf(schema)).map(([name, field]) => [name, rightValue(field)] as const);
  const right = Object.fromEntries(values.filter(([, value]) => value !== undefined));
  if (schema.safeParse(right).success) return right;
  // Some fields exclude each other: each is taken that the ones before it leave right.
  const fitting: Record<string, unknown> = {};
  const required = (name: string) => fieldsOf(schema)[name]?.safeParse(undefined).success === false;
  const inOrder = Object.entries(right).sort(([a], [b]) => Number(required(b)) - Number(required(a)));
  for (const [name, value] of inOrder) {
    const was = schema.safeParse(fitting).success;
    fitting[name] = value;
    if (was && !schema.safeParse(fitting).success) delete fitting[name];
  }
  if (schema.safeParse(fitting).success) return fitting;
  throw new Error(`No right object was found: ${JSON.stringify(right)}.`);
}

/** A value that its schema takes; undefined where only that is taken. */
export function rightValue(schema: z.ZodType): unknown {
  const { enum: choices = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as {
    enum?: unknown[];
  };
  const right = [...choices, ...plainValues].find((value) => schema.safeParse(value).success);
  if (right === undefined && !schema.safeParse(undefined).success)
    throw new Error('No plain value fits a field; add one to plainValues.');
  return right;
}

// Odd texts for query strings, paths and headers ----------------------------------------------------------------------

/** Percent-encoded where it has to be. */
export const oddParameters: readonly string[] = [
  ...['-1', '201', '1e2', '0x10', '1.5', '+5', '05', 'NaN', 'Infinity', '-0', '9007199254740992', '9'.repeat(30)],
  ...['%D9%A3', '%00', 'hello%00', '%ED%A0%80', '%FF', '%C0%AE%C0%AE', '%', '%zz', '%E2%80%AE', '%EF%BF%BF', '%0D%0A'],
  ...['null', 'undefined', '[]', '%7B%7D', '__proto__', 'constructor', 'me', '%20', 'a%0Ab', '%F0%9F%98%80'],
  ...[
    '%27',
    '%22',
    "'%3BDROP+TABLE+log.events--",
    '%25',
    '_',
    '%5C',
    '%26%21%7C%3A*',
    '(((',
    '-',
    '%22hello',
    'or',
    '$1',
  ],
  ...[long(300), long(3_000), '%F0%9F%98%80'.repeat(300)],
];

/** Path segments; those that a path parameter takes are not wrong and not sent. */
export const oddSegments: readonly string[] = [
  ...[
    '',
    '%00',
    'hello%00',
    '%',
    '%zz',
    '%FF',
    '%ED%A0%80',
    '%C0%AE%C0%AE',
    '..',
    '%2e%2e',
    '.',
    '%2F',
    '..%2F..%2Fme',
  ],
  ...['hello', '0', '-1', 'null', 'undefined', '[object%20Object]', '%7B%7D', '*', ':id', '__proto__', 'constructor'],
  ...[
    '01985f6e-7a2c-7000-8000-0000000000a',
    '01985f6e-7a2c-7000-8000-0000000000a1%00',
    '%2001985f6e-7a2c-7000-8000-0000000000a1',
  ],
  ...[
    'g1985f6e-7a2c-7000-8000-0000000000a1',
    '01985f6e7a2c700080000000000000a1',
    '%7B01985f6e-7a2c-7000-8000-0000000000a1%7D',
  ],
  ...["'%20OR%20'1'='1", '%27%3B--', '%F0%9F%91%8D%20', 'a%0Ab', '%F0%9F%98%80'.repeat(20), long(450), long(3_000)],
];

/** Header values. */
export const oddHeaders: readonly string[] = [
  ...[
    '',
    '-1',
    '1.0',
    '1e3',
    '0x1',
    'NaN',
    '9'.repeat(20),
    '9'.repeat(18),
    '1, 2',
    'hello hello',
    '\t',
    '\xff',
    'hell\xf6',
    '\u00a0',
  ],
  ...["'; DROP TABLE log.events--", long(201), long(3_000)],
];
