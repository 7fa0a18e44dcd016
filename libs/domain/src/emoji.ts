/**
 * An emoji in the one form that is stored and compared, or null if the text is not exactly one emoji that is recommended
 * for general interchange (RGI, Unicode Technical Standard 51). That form is the fully-qualified one: it has variation
 * selectors where the emoji would be shown as text without them, and nowhere else.
 */
export function emojiOf(text: string): string | null {
  const qualified = text
    .replace(/[\ufe0e\ufe0f]/g, '')
    .replace(/(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu, '$&\ufe0f');
  return isEmoji(qualified) ? qualified : null;
}

/** Whether a text is exactly one fully-qualified RGI emoji. */
export function isEmoji(text: string): boolean {
  // Created on first use: some browsers of the dashboard do not know this flag.
  rgiEmoji ??= new RegExp('^\\p{RGI_Emoji}$', unicodeSets);
  return text.length <= MAX_UNITS && rgiEmoji.test(text);
}
let rgiEmoji: RegExp | undefined;
const unicodeSets: string = 'v';

/** UTF-16 units; the longest emoji, a couple kissing with two skin tones, has 15. */
const MAX_UNITS = 40;

/**
 * What distinguishes one reaction from another. Logs from before reactions had to be emoji hold other short texts, which stay
 * what they are.
 */
export const reactionOf = (text: string): string => emojiOf(text) ?? text;
