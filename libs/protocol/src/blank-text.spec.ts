import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CallName, calls } from './calls.js';
import { clientEvents, clientFrames } from './frames.js';

/** Fields that nobody is meant to see: secrets, what only programs read, and what must equal something that is there. */
const notSeen = /[.](password|currentPassword|newPassword|code|preferences|return)$/;
const mustEqual = ['login body.username', 'removeReaction params.emoji', 'frame react.emoji'];

const blanks = [
  '          ',
  '\t\n\u00a0\u3000\u2003\u1680    ',
  '\u200b\u200c\u200d\u2060\ufeff\u200e\u202e\u2066\u00ad\u061c',
  '\u115f\u1160\u3164\uffa0'.repeat(3),
  '\u2800'.repeat(12),
  '\ufe0f\u{e0100}'.repeat(6),
  '\u{e0041}\u{e007f}'.repeat(6),
  '\u17b4\u17b5\u180e\u034f'.repeat(3),
  '\u{1d159}\u{13441}\ufffc\ufff9\ufffb'.repeat(3),
  '\u0301\u20dd\u0e31'.repeat(4),
  '\ufdd0\u{1ffff}'.repeat(6),
  '\u0001\u007f\u0085'.repeat(4),
];

interface Field {
  readonly name: string;
  readonly schema: z.ZodType;
}

/** Every field of a schema that takes some text, with where it stands. */
function textFields(name: string, schema: z.ZodType): Field[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, field]) => textFields(`${name}.${key}`, field as z.ZodType));
  }
  if (schema instanceof z.ZodArray) return textFields(`${name}[]`, schema.element as z.ZodType);
  if (schema instanceof z.ZodUnion) {
    return schema.options.flatMap((option) => textFields(name, option as z.ZodType));
  }
  if (schema instanceof z.ZodNonOptional || schema instanceof z.ZodReadonly || schema instanceof z.ZodPrefault) {
    return textFields(name, schema.unwrap() as z.ZodType);
  }
  const inner = schema instanceof z.ZodDefault || schema instanceof z.ZodNullable || schema instanceof z.ZodOptional;
  const unwrapped = inner ? (schema.unwrap() as z.ZodType) : schema;
  if (unwrapped !== schema && (unwrapped instanceof z.ZodObject || unwrapped instanceof z.ZodArray)) {
    return textFields(name, unwrapped);
  }
  return [{ name, schema }];
}

const ofCalls = (Object.keys(calls) as CallName[]).flatMap((name) => {
  const { params, query, body, headers } = calls[name] as (typeof calls)[CallName] & {
    params?: z.ZodType;
    query?: z.ZodType;
    body?: z.ZodType;
  };
  return [
    ...(params ? textFields(`${name} params`, params) : []),
    ...(query ? textFields(`${name} query`, query) : []),
    ...(body ? textFields(`${name} body`, body) : []),
    ...Object.entries(headers.request).flatMap(([header, schema]) => textFields(`${name} ${header}`, schema)),
  ];
});
const ofFrames = clientEvents.flatMap((event) => textFields(`frame ${event}`, clientFrames[event]));
const fields = [...ofCalls, ...ofFrames];

describe('a text that shows nothing', () => {
  it('is refused in every field of every call and frame, but where nobody is to see it', () => {
    const taking = fields.filter(({ schema }) => blanks.some((blank) => schema.safeParse(blank).success));
    const names = taking.map(({ name }) => name).filter((name) => !notSeen.test(name) && !mustEqual.includes(name));
    expect(names).toEqual([]);
  });

  it('is no reaction', () => {
    const id = '01985f6e-7a2c-7000-8000-0000000000a1';
    for (const emoji of blanks) {
      expect(clientFrames.react.safeParse({ room: id, messageId: id, emoji }).success).toBe(false);
    }
  });

  it('is looked for in all fields that take a text', () => {
    const names = fields.filter(({ schema }) => schema.safeParse('an ordinary text').success).map(({ name }) => name);
    for (const known of [
      'postMessage body.text',
      'editMessage body.text',
      'createRoom body.name',
      'createRoom body.topic',
      'createToken body.name',
      'frame post.text',
      'frame redact.reason',
      'frame follow.reason',
    ])
      expect(names).toContain(known);
  });
});
