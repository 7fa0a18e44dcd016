import { type LogSource, peek, type StoredEvent } from '@verbatim/event-store';
import { z } from 'zod';
import { type BackupReader, BrokenBackup } from './backup-file.js';
import type { LogSegment } from './manifest.js';

/** One event as a line of JSON. */
export const lineOf = ({ position, revision, stream, id, type, hash, sealed }: StoredEvent): string =>
  `${JSON.stringify({ position: `${position}`, stream, revision: `${revision}`, id, type, hash, sealed })}\n`;

const digits = z
  .string()
  .regex(/^\d{1,19}$/)
  .transform(BigInt);
const lineSchema = z.object({
  ...{ position: digits, stream: z.string(), revision: digits, id: z.string(), type: z.string() },
  ...{ hash: z.string(), sealed: z.string() },
});

/** Where to stop: behind an event at a position, or before the first one that was recorded later than a time. */
export interface Until {
  readonly position: bigint;
  readonly time?: Date;
}

/** The log in a backup. */
export class BackedUpLog implements LogSource {
  /** The last event that was handed out, and when it was recorded. */
  reached: { readonly position: bigint; readonly at: string } | null = null;

  constructor(
    private readonly reader: BackupReader,
    private readonly segments: readonly LogSegment[],
    private readonly until: Until,
  ) {}

  async head(): Promise<bigint> {
    return this.until.position;
  }

  /** Throws BrokenBackup where a segment does not hold what the manifest says. */
  async *events(): AsyncGenerator<StoredEvent, undefined> {
    for (const segment of this.segments) {
      if (BigInt(segment.from) > this.until.position) return;
      for await (const event of this.eventsOf(segment)) {
        const { at } = peek(event.sealed);
        if (event.position > this.until.position || (this.until.time && new Date(at) > this.until.time)) return;
        this.reached = { position: event.position, at };
        yield event;
      }
    }
  }

  private async *eventsOf(segment: LogSegment): AsyncGenerator<StoredEvent> {
    let [count, position] = [0, -1n];
    for await (const line of linesIn(this.reader.contentOf(segment))) {
      const event = eventIn(line, segment.file);
      if (count === 0 ? `${event.position}` !== segment.from : event.position <= position)
        throw new BrokenBackup(segment.file, `its event number ${count + 1} is at position ${event.position}`);
      position = event.position;
      count++;
      yield event;
    }
    if (count !== segment.events || `${position}` !== segment.last.position)
      throw new BrokenBackup(segment.file, `it has ${count} events up to position ${position}`);
  }
}

function eventIn(line: string, file: string): StoredEvent {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    throw new BrokenBackup(file, 'a line in it is no event');
  }
}

async function* linesIn(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      rest.push(chunk.subarray(from, end));
      yield Buffer.concat(rest).toString('utf8');
      rest = [];
      from = end + 1;
    }
    if (from < chunk.length) rest.push(chunk.subarray(from));
  }
  if (rest.length > 0) yield Buffer.concat(rest).toString('utf8');
}
