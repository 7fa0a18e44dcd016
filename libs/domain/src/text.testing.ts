import fc from 'fast-check';

/** Every character that this JavaScript engine knows to display nothing by itself, but for NUL, which no text may hold. */
export const blankCharacters: readonly string[] = Array.from({ length: 0x110000 }, (_, code) => code)
  .filter((code) => code > 0 && (code < 0xd800 || code > 0xdfff))
  .map((code) => String.fromCodePoint(code))
  .filter((character) =>
    /[\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\p{Bidi_Control}\p{Noncharacter_Code_Point}\p{Mn}\u2800\ufff9-\ufffc\u{13430}-\u{1343f}\u{13441}\u{13442}\u{1d159}]/u.test(
      character,
    ),
  );

/** Texts of some such characters, short and long. */
export const blankText = fc.string({ unit: fc.constantFrom(...blankCharacters), minLength: 1, maxLength: 40 });
