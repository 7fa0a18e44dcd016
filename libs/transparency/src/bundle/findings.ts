import { bundleLimits } from './bundle-format.js';

/** What can be wrong with a bundle; docs/bundle-format.md says what each means. */
export type FindingCode =
  | 'archive'
  | 'manifest'
  | 'manifest-signature'
  | 'checkpoint'
  | 'witness'
  | 'file'
  | 'digest'
  | 'line'
  | 'order'
  | 'proof'
  | 'envelope'
  | 'chain'
  | 'gap'
  | 'key';

/** Where in a bundle something is wrong. */
export interface Place {
  readonly file?: string;
  /** Line of `events.ndjson`, from 1. */
  readonly line?: number;
  readonly ordinal?: number;
  readonly stream?: string;
  readonly revision?: number;
}

export interface Finding {
  readonly code: FindingCode;
  readonly place: Place;
  /** The end of a sentence for a person. */
  readonly detail: string;
}

export class Findings {
  readonly list: Finding[] = [];
  /** Findings beyond the first 100. */
  more = 0;
  /** Sentences about what could not be checked. */
  readonly unchecked: string[] = [];

  add(code: FindingCode, place: Place, detail: string): void {
    if (this.list.length < bundleLimits.findings) this.list.push({ code, place, detail });
    else this.more++;
  }

  /** 0 all is well, 1 something is wrong, 3 something could not be checked. */
  get exitCode(): 0 | 1 | 3 {
    if (this.list.length > 0) return 1;
    return this.unchecked.length > 0 ? 3 : 0;
  }
}

/** A finding on one line, as both verifiers print it. */
export const describeFinding = ({ code, place, detail }: Finding): string =>
  `${[code, ...Object.entries(place).map(([word, value]) => `${word}=${quoted(value)}`)].join(' ')}: ${detail}`;

/** Texts from a bundle may hold anything, such as control characters of a terminal. */
const quoted = (value: string | number): string =>
  typeof value === 'number' || /^[\w.:/|-]+$/.test(value)
    ? `${value}`
    : JSON.stringify(value).replaceAll(/[^\x20-\x7e]/g, '?');
