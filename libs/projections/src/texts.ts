import { type Phrase, phraseText } from '@verbatim/domain';

/** What a row holds of the text of a message. */
export interface KeptText {
  readonly text: string | null;
  /** Length in UTF-8 of a text that is not in the row but in the log; null: it is in the row, or there is none. */
  readonly bytes: string | null;
}

/** What a phrase becomes for the search: what stands in `words` of all messages that have it. */
export interface SoughtPhrase {
  /** Parts of `words`; a message has to have all of them. */
  readonly parts: readonly string[];
  /** Entries of the index that it has to have, as parts of a `tsquery`, with the length of the word behind each; 0: a last resort. */
  readonly entries: readonly (readonly [entry: string, length: number])[];
}

/** A row of a query with the text of a message, or the place of that text in the log. */
export interface RowWithText {
  room_id: string;
  text: string | null;
  text_bytes: number | null;
  text_revision: string;
}

/** How read models hold what people have written, and how queries read it back. */
export interface Texts {
  /** Tells read models apart that hold texts in different ways. */
  readonly name: 'plain' | 'sealed';
  ofMessage(text: string | null): KeptText;
  /** The texts of messages in their order, where they are now: in the row or in the log. */
  read<R extends RowWithText>(rows: readonly R[]): Promise<R[]>;
  /** A short text beside messages, such as the topic of a room or a reason. */
  keep(remark: string | null): string | null;
  show(kept: string | null): string | null;
  /** What a text is told by when its message arrives again: nobody may check a guess at a text with it. */
  cover(fingerprint: number | null, room: string, message: string): string | null;
  uncover(covered: string | null, room: string, message: string): number | null;
  /** What `searchText` makes of a text, as the search holds it. */
  words(found: string): string;
  phrase(phrase: Phrase): SoughtPhrase;
}

/** Texts as they are. */
export const plainTexts: Texts = {
  name: 'plain',
  ofMessage: (text) => ({ text, bytes: null }),
  read: async (rows) => [...rows],
  keep: (remark) => remark,
  show: (kept) => kept,
  cover: (fingerprint) => (fingerprint === null ? null : `${fingerprint}`),
  uncover: (covered) => (covered === null ? null : Number(covered)),
  words: (found) => found,
  phrase: (phrase) => ({
    parts: [phraseText(phrase)],
    entries: phrase.keys.map((key, i) => {
      const isBeginning = phrase.open && i === phrase.keys.length - 1;
      // There are many words with the same first letters, so that is asked for only where there is nothing else.
      return isBeginning ? [`'${key}':*`, key.length < 3 ? 0 : key.length] : [`'${key}'`, key.length];
    }),
  }),
};
