import { createHash } from 'node:crypto';
import { type BundleLine, type BundleManifest, bundleLimits, parseBundleLine } from './bundle-format.js';
import { type Envelope, openSealed, parseEnvelope } from './envelope.js';
import type { FindingCode, Findings } from './findings.js';

interface Head {
  readonly revision: number;
  /** Null when it is not known what the event really was. */
  readonly hash: string | null;
}

interface Trouble {
  readonly code: FindingCode;
  readonly detail: string;
}

/** Checks `events.ndjson` as it comes, line by line. */
export class EventsCheck {
  events = 0;
  /** Checks that a line leads to the checkpoint's root; null while no checkpoint is trusted. */
  prove: ((line: BundleLine) => boolean) | null = null;
  private readonly heads = new Map<string, Head>();
  private firstOrdinal: number | null = null;
  private lastOrdinal: number | null = null;
  private pending: Buffer[] = [];
  private pendingBytes = 0;
  private tooManyStreams = false;
  private contiguous = false;
  private fromStart = false;

  constructor(private readonly findings: Findings) {}

  get streams(): number {
    return this.heads.size;
  }

  expect({ contiguous, fromStart }: BundleManifest): void {
    this.contiguous = contiguous;
    this.fromStart = fromStart;
  }

  take(part: Buffer): void {
    let start = 0;
    for (let end = part.indexOf(0x0a); end >= 0; end = part.indexOf(0x0a, start)) {
      this.collect(part.subarray(start, end));
      this.line();
      start = end + 1;
    }
    this.collect(part.subarray(start));
  }

  end(): void {
    if (this.pendingBytes > 0) this.findings.add('line', { line: this.events + 1 }, 'the last line has no newline');
  }

  /** Compares what was found with what the manifest says. */
  compare(manifest: BundleManifest): void {
    const found = {
      events: this.events,
      streams: this.heads.size,
      firstOrdinal: this.firstOrdinal,
      lastOrdinal: this.lastOrdinal,
    };
    for (const [word, value] of Object.entries(found)) {
      if (this.tooManyStreams && word === 'streams') continue;
      const said = manifest[word as keyof typeof found];
      if (said !== value)
        this.findings.add('manifest', { file: 'manifest.json' }, `${word} is ${said} and not ${value}`);
    }
  }

  private collect(part: Buffer): void {
    this.pendingBytes += part.length;
    if (part.length > 0 && this.pendingBytes <= bundleLimits.lineBytes) this.pending.push(part);
  }

  private line(): void {
    this.events++;
    const text = this.pending.length === 1 ? (this.pending[0] as Buffer) : Buffer.concat(this.pending);
    const line = this.pendingBytes <= bundleLimits.lineBytes ? parseBundleLine(text) : null;
    this.pending = [];
    this.pendingBytes = 0;
    if (line) this.checkLine(line);
    else this.findings.add('line', { line: this.events }, 'the line is not of its form');
  }

  private checkLine(line: BundleLine): void {
    const envelope = parseEnvelope(line.envelope);
    const trouble = this.troubleOf(line, envelope);
    this.firstOrdinal ??= line.ordinal;
    this.lastOrdinal = line.ordinal;
    if (!trouble) return;
    const where = envelope ? { stream: envelope.stream, revision: envelope.revision } : {};
    this.findings.add(trouble.code, { line: this.events, ordinal: line.ordinal, ...where }, trouble.detail);
  }

  private troubleOf(line: BundleLine, envelope: Envelope | null): Trouble | null {
    const order =
      this.lastOrdinal !== null && line.ordinal <= this.lastOrdinal
        ? { code: 'order' as const, detail: `the ordinal is not above ${this.lastOrdinal}` }
        : null;
    const proved = this.prove === null || this.prove(line);
    const chain = envelope && this.follow(envelope, line, proved);
    if (order) return order;
    if (!proved) return { code: 'proof', detail: 'the proof does not lead to the root of the checkpoint' };
    if (!envelope) return { code: 'envelope', detail: 'the envelope is not an event' };
    return chain ?? keyTrouble(line, envelope);
  }

  /** Takes the event as the newest one of its stream. */
  private follow({ stream, revision, prev }: Envelope, { envelope }: BundleLine, proved: boolean): Trouble | null {
    const head = this.heads.get(stream);
    if (!head && this.heads.size >= bundleLimits.streams) return this.giveUpOnStreams();
    if (!head || revision > head.revision)
      this.heads.set(stream, { revision, hash: proved ? createHash('sha256').update(envelope).digest('hex') : null });
    if (!head) return this.beginning(revision, prev);
    if (revision <= head.revision) return { code: 'chain', detail: `the revision is not above ${head.revision}` };
    if (revision > head.revision + 1)
      return this.contiguous ? { code: 'gap', detail: `revisions from ${head.revision + 1} are missing` } : null;
    return head.hash === null || head.hash === prev
      ? null
      : { code: 'chain', detail: 'the envelope does not name the hash of the event before it' };
  }

  private beginning(revision: number, prev: string | null): Trouble | null {
    if ((revision === 0) !== (prev === null))
      return { code: 'chain', detail: 'only revision 0 has no event before it' };
    return revision > 0 && this.fromStart ? { code: 'gap', detail: 'revisions from 0 are missing' } : null;
  }

  private giveUpOnStreams(): null {
    if (!this.tooManyStreams) this.findings.unchecked.push('There are too many streams to check their chains.');
    this.tooManyStreams = true;
    return null;
  }
}

function keyTrouble({ key }: BundleLine, envelope: Envelope): Trouble | null {
  if (key === null || openSealed(envelope, key) !== null) return null;
  return { code: 'key', detail: 'the key does not open what is sealed' };
}
