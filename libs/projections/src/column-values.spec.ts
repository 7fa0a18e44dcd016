import { expect, test } from 'vitest';
import { arrayValue, column, keyValue, nameKeyValue, textValue, timeValue } from './column-values.js';

test('texts lose what PostgreSQL cannot hold', () => {
  expect(textValue('a\u0000b')).toBe('a\uFFFDb');
  expect(textValue('\ud83d')).toBe('\uFFFD');
  expect(textValue('👍')).toBe('👍');
  expect(textValue(null)).toBeNull();
  expect(textValue(undefined)).toBeNull();
});

test('keys are short, and are not cut within a character', () => {
  expect(keyValue('x'.repeat(1_000))).toHaveLength(200);
  expect(keyValue(`${'x'.repeat(199)}👍`)).toBe(`${'x'.repeat(199)}\uFFFD`);
  expect(keyValue(null)).toBe('');
});

test('names are compared by their key', () => {
  expect(nameKeyValue('  U\u0308BER ')).toBe('über');
  expect(nameKeyValue(null)).toBeNull();
});

test('times are those at which it happened, as far as PostgreSQL knows them', () => {
  const at = '2026-01-31T12:00:00.000Z';
  expect(timeValue({ at })).toBe(at);
  expect(timeValue({ at, occurredAt: '2004-02-01T01:00:00+01:00' })).toBe('2004-02-01T00:00:00.000Z');
  expect(timeValue({ at, occurredAt: 'some day' })).toBe(at);
  expect(timeValue({ at, occurredAt: '+123456-01-01T00:00:00.000Z' })).toBe(at);
  expect(timeValue({ at: 'never' })).toBe('1970-01-01T00:00:00.000Z');
});

test('every day of the calendar is a time', () => {
  const day = new Date('2023-12-01T23:59:59.999Z');
  for (; day.getUTCFullYear() < 2029; day.setUTCDate(day.getUTCDate() + 1)) {
    const at = day.toISOString();
    expect(timeValue({ at })).toBe(at);
  }
});

test.each(['2026-02-29', '2026-02-31', '2026-04-31', '2026-13-01', '2026-00-10', '2026-01-00', '0000-01-01'])(
  'the %s is none that PostgreSQL takes',
  (day) => {
    const value = timeValue({ at: `${day}T00:00:00.000Z` });
    expect(value).not.toContain(day);
    expect(new Date(value).toISOString()).toBe(value);
  },
);

test('arrays are written as PostgreSQL reads them', () => {
  expect(arrayValue([])).toBe('{}');
  expect(arrayValue(['a', null, 'NULL', 1, '{x,"y"}', 'back\\slash'])).toBe(
    '{"a",NULL,"NULL",1,"{x,\\"y\\"}","back\\\\slash"}',
  );
  expect(arrayValue(['12', '2026-01-31T12:00:00.000Z', '0f-9', '1,2', '1}', '1 ', '1\n', '', 'é1'])).toBe(
    '{12,2026-01-31T12:00:00.000Z,0f-9,"1,2","1}","1 ","1\n","","é1"}',
  );
  expect(column([{ n: 1 }, { n: 2 }], 'n')).toBe('{1,2}');
});
