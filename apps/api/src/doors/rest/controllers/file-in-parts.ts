import { Readable } from 'node:stream';

/** A file that is read part by part: the next part, in its `turn`, once the client has received the one before. */
export function fileInParts(parts: AsyncGenerator<Buffer>, turn: <T>(read: () => Promise<T>) => Promise<T>): Readable {
  async function* inTurns() {
    try {
      for (let part = await turn(() => parts.next()); !part.done; part = await turn(() => parts.next()))
        yield part.value;
    } finally {
      await parts.return(undefined);
    }
  }
  return Readable.from(inTurns(), { objectMode: false, highWaterMark: 64 * 1024 });
}
