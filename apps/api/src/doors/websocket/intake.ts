import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Holder } from '../../host/waiting-data.js';
import { FrameScanner } from './frame-scanner.js';

/** What a client may send after the service has begun to close its socket, because it may not have read the close frame yet. */
const MAX_FRAMES_AFTER_CLOSE = 1_000;
const MAX_BYTES_AFTER_CLOSE = 8_388_608;

/** The incoming bytes of one client, seen below `ws`: fragments, which `ws` does not report, and whatever comes after the end. */
export class Intake implements Holder {
  /** Called for every fragment of a message except the last. Set as soon as it is known who the client is. */
  onFragment: () => void = () => undefined;
  private framesAfterClose = 0;
  private bytesAfterClose = 0;
  private readonly scanner = new FrameScanner((final) => {
    if (this.socket.readyState !== this.socket.OPEN) this.framesAfterClose += 1;
    else if (!final) this.onFragment();
  });

  constructor(
    private readonly socket: WebSocket,
    private readonly wire: Socket,
  ) {
    // Before the listener of `ws`, so that fragments are counted before the message that they are part of.
    wire.prependListener('data', (chunk: Buffer) => this.read(chunk));
  }

  /** Bytes of a message that has not arrived completely. */
  get heldBytes(): number {
    return this.scanner.unfinishedBytes;
  }

  private read(chunk: Buffer): void {
    this.scanner.scan(chunk);
    if (this.socket.readyState === this.socket.OPEN) return;
    this.bytesAfterClose += chunk.length;
    if (this.framesAfterClose > MAX_FRAMES_AFTER_CLOSE || this.bytesAfterClose > MAX_BYTES_AFTER_CLOSE)
      this.wire.destroy();
  }
}
