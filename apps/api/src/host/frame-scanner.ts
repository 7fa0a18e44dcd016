/**
 * Reads the frame headers in a client's bytes (RFC 6455, section 5.2). `ws` reports messages, pings and pongs but not the
 * fragments of a message, so without this a client could send any number of them for the price of one frame.
 *
 * Payloads are skipped. Bytes that are not WebSocket frames give meaningless results; `ws` ends such a connection.
 */
export class FrameScanner {
  /** Masking key and payload bytes of the current frame that have not arrived. */
  private rest = 0;
  private field: 'flags' | 'length' | 'long length' = 'flags';
  private flags = 0;
  private maskBytes = 0;
  private length = 0;
  private lengthBytes = 0;
  /** Payload bytes announced by the frames of the current message. */
  private announced = 0;

  /** `onFrame` is called once for each frame, when its header is complete; `final` is false for all but the last of a message. */
  constructor(private readonly onFrame: (final: boolean) => void) {}

  /** Bytes of an unfinished message that have arrived, without headers. */
  get unfinishedBytes(): number {
    if (this.isControl) return this.announced;
    return Math.max(0, this.announced - this.rest);
  }

  /** Reads a chunk, or its beginning with so many frame headers. Returns how many bytes were read. */
  scan(chunk: Buffer, maxFrames = Number.POSITIVE_INFINITY): number {
    let at = 0;
    for (let frames = 0; at < chunk.length && frames < maxFrames; ) {
      if (this.rest > 0) {
        const skipped = Math.min(this.rest, chunk.length - at);
        this.rest -= skipped;
        at += skipped;
        if (this.rest === 0) this.end();
      } else if (this.readHeader(chunk[at++] as number)) {
        frames += 1;
      }
    }
    return at;
  }

  /** Reads one byte. Returns whether the header is complete with it. */
  private readHeader(byte: number): boolean {
    if (this.field === 'flags') {
      this.flags = byte;
      this.field = 'length';
    } else if (this.field === 'length') {
      this.maskBytes = byte & 0x80 ? 4 : 0;
      this.length = byte & 0x7f;
      if (this.length < 126) return this.begin();
      this.field = 'long length';
      this.lengthBytes = this.length === 126 ? 2 : 8;
      this.length = 0;
    } else {
      this.length = this.length * 256 + byte;
      this.lengthBytes -= 1;
      if (this.lengthBytes === 0) return this.begin();
    }
    return false;
  }

  private begin(): true {
    this.field = 'flags';
    this.rest = this.maskBytes + this.length;
    if (!this.isControl) this.announced += this.length;
    this.onFrame(this.final);
    if (this.rest === 0) this.end();
    return true;
  }

  private end(): void {
    if (this.final && !this.isControl) this.announced = 0;
  }

  private get final(): boolean {
    return (this.flags & 0x80) !== 0;
  }

  private get isControl(): boolean {
    return (this.flags & 0x08) !== 0;
  }
}
