import { createHmac } from 'node:crypto';
import { isSpacelessPair, type Phrase } from '@verbatim/domain';
import { openText, sealText } from '@verbatim/event-store';
import { textValue } from './column-values.js';
import type { RowWithText, SoughtPhrase, Texts } from './texts.js';

/** Where the texts of messages are. */
export interface TextsOfLog {
  /** The texts that events of a room have, by revision; null where it was erased. What is not there is left out. */
  of(room: string, revisions: readonly bigint[]): Promise<ReadonlyMap<bigint, string | null>>;
}

/** Words whose hashes are remembered; then they are forgotten together. */
const MOST_WORDS = 50_000;
/** Bytes of a hash: enough that of a billion different words hardly two have the same. */
const HASH_BYTES = 9;

/**
 * Keeps texts out of the read models. Those of messages are read from the log when they are shown; remarks are sealed; and in place of
 * words the search holds keyed hashes. Who has only the database sees how often and in which order the same words come, not which.
 */
export class SealedTexts implements Texts {
  readonly name = 'sealed';
  private readonly hashes = new Map<string, string>();
  private readonly keyOfWords: Buffer;
  private readonly keyOfRemarks: Buffer;
  private readonly keyOfNonces: Buffer;
  private readonly keyOfFingerprints: Buffer;

  /** @param key 32 bytes of the vault. */
  constructor(
    key: Buffer,
    private readonly log: TextsOfLog,
  ) {
    const derived = (purpose: string) => createHmac('sha256', key).update(`read models: ${purpose}`).digest();
    this.keyOfWords = derived('words');
    this.keyOfRemarks = derived('remarks');
    this.keyOfNonces = derived('nonces of remarks');
    this.keyOfFingerprints = derived('fingerprints');
  }

  ofMessage(text: string | null) {
    return { text: null, bytes: text === null ? null : `${Buffer.byteLength(text)}` };
  }

  async read<R extends RowWithText>(rows: readonly R[]): Promise<R[]> {
    const wanted = new Map<string, Set<bigint>>();
    for (const { room_id, text_bytes, text_revision } of rows) {
      if (text_bytes === null) continue;
      const revisions = wanted.get(room_id) ?? new Set();
      wanted.set(room_id, revisions.add(BigInt(text_revision)));
    }
    const reading = [...wanted].map(
      async ([room, revisions]) => [room, await this.log.of(room, [...revisions])] as const,
    );
    const found = new Map(await Promise.all(reading));
    return rows.map((row) =>
      row.text_bytes === null
        ? row
        : { ...row, text: textValue(found.get(row.room_id)?.get(BigInt(row.text_revision)) ?? null) },
    );
  }

  keep(remark: string | null): string | null {
    if (remark === null || remark === '') return remark;
    // The nonce follows from the text, so that read models which are built again hold the same.
    const nonce = createHmac('sha256', this.keyOfNonces).update(remark).digest().subarray(0, 12);
    return sealText(remark, this.keyOfRemarks, REMARK, nonce);
  }

  show(kept: string | null): string | null {
    return kept === null || kept === '' ? kept : openText(kept, this.keyOfRemarks, REMARK);
  }

  cover(fingerprint: number | null, room: string, message: string): string | null {
    return fingerprint === null ? null : `${BigInt.asIntN(64, BigInt(fingerprint) ^ this.pad(room, message))}`;
  }

  uncover(covered: string | null, room: string, message: string): number | null {
    return covered === null ? null : Number(BigInt.asIntN(64, BigInt(covered) ^ this.pad(room, message)));
  }

  /** The same for each message only, which has one fingerprint in its life. */
  private pad(room: string, message: string): bigint {
    return createHmac('sha256', this.keyOfFingerprints).update(`${room} ${message}`).digest().readBigInt64BE();
  }

  words(found: string): string {
    let hashed = '';
    const firsts = new Set<string>();
    // Several spaces part what does not follow one another, and have to stay.
    for (const word of found.split(' ')) {
      hashed += word === '' ? ' ' : `${this.hash(word)} `;
      if (isSpacelessPair(word)) firsts.add(String.fromCodePoint(word.codePointAt(0) ?? 0));
    }
    // So that a single character of a script without spaces is found wherever it stands.
    for (const first of firsts) hashed += ` ${this.hash(first)} `;
    return hashed;
  }

  /**
   * A hash has no beginning, so the last word has to be a whole one. In scripts without spaces, where words are pairs of characters, that
   * makes no difference: the last character is part of the last pair.
   */
  phrase({ keys, open }: Phrase): SoughtPhrase {
    const last = keys.at(-1) ?? '';
    const before = keys.at(-2) ?? '';
    const isSingle = open && isSpacelessPair(`${last}${last}`) && keys.length > 1;
    const sequences = !isSingle
      ? [keys]
      : isSpacelessPair(before) && before.endsWith(last)
        ? [keys.slice(0, -1)]
        : [keys.slice(0, -1), [last]];
    return {
      parts: sequences.map((sequence) => ` ${sequence.map((key) => this.hash(key)).join(' ')} `),
      entries: sequences.flat().map((key) => [`'${this.hash(key)}'`, key.length] as const),
    };
  }

  private hash(word: string): string {
    const known = this.hashes.get(word);
    if (known) return known;
    const hash = createHmac('sha256', this.keyOfWords)
      .update(word)
      .digest()
      .subarray(0, HASH_BYTES)
      .toString('base64url');
    if (this.hashes.size >= MOST_WORDS) this.hashes.clear();
    this.hashes.set(word, hash);
    return hash;
  }
}

/** What sealed remarks are bound to. */
const REMARK = 'remark of the read models';
