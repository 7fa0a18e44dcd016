import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { maxPacketBytes } from './packets.js';

/** Bytes of a message of a WebSocket, which may hold several packets. Longer ones end the connection. */
export const maxMessageBytes = 8 * maxPacketBytes;

/** Who listens to a wire. */
export interface WireListener {
  received(bytes: Buffer): void;
  /** Nothing more comes or goes. */
  closed(): void;
}

/** The connection of a client, over TCP or a WebSocket. What is sent in one turn of the event loop goes out in one piece. */
export interface Wire {
  /** Of the client. */
  readonly address: string;
  readonly open: boolean;
  /** Bytes that have not been handed to the network yet. */
  readonly waitingBytes: number;
  /** Bytes that were received and not handed on, because they are part of a message that has not arrived in full. */
  readonly heldBytes: number;
  listen(listener: WireListener): void;
  send(bytes: Buffer): void;
  /** Resolves when what was sent has been handed to the network, or the wire is closed. */
  drained(): Promise<void>;
  /** Stops and continues reading. */
  setReading(reading: boolean): void;
  /** Ends the connection after what was sent. */
  end(): void;
}

/** How long a client may take to let go of an ended connection. */
const ENDING_MS = 2_000;

export class TcpWire implements Wire {
  readonly heldBytes = 0;
  private corked = false;

  constructor(
    private readonly socket: Socket,
    readonly address: string,
  ) {
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
  }

  get open(): boolean {
    return this.socket.writable;
  }

  get waitingBytes(): number {
    return this.socket.writableLength;
  }

  listen(listener: WireListener): void {
    this.socket.on('data', (bytes: Buffer) => listener.received(bytes));
    this.socket.once('close', () => listener.closed());
  }

  send(bytes: Buffer): void {
    if (!this.open) return;
    if (!this.corked) {
      this.corked = true;
      this.socket.cork();
      setImmediate(() => this.uncork());
    }
    this.socket.write(bytes);
  }

  drained(): Promise<void> {
    this.uncork();
    const { socket } = this;
    if (socket.destroyed || !socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        socket.off('drain', done).off('close', done);
        resolve();
      };
      socket.on('drain', done).on('close', done);
    });
  }

  setReading(reading: boolean): void {
    if (reading) this.socket.resume();
    else this.socket.pause();
  }

  end(): void {
    this.uncork();
    this.socket.end();
    // A paused socket would never see the other end go.
    this.socket.resume();
    setTimeout(() => this.socket.destroy(), ENDING_MS).unref();
  }

  private uncork(): void {
    if (!this.corked) return;
    this.corked = false;
    this.socket.uncork();
  }
}

export class WebSocketWire implements Wire {
  private waiting: Buffer[] = [];
  private bytes = 0;
  /** Bytes that had come when the last message was complete. */
  private bytesBefore: number;

  constructor(
    private readonly socket: WebSocket,
    private readonly tcp: Socket,
    readonly address: string,
  ) {
    this.bytesBefore = tcp.bytesRead;
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get waitingBytes(): number {
    return this.bytes + this.tcp.writableLength;
  }

  get heldBytes(): number {
    return Math.min(this.tcp.bytesRead - this.bytesBefore, maxMessageBytes);
  }

  listen(listener: WireListener): void {
    this.socket.on('message', (data: RawData, isBinary: boolean) => {
      this.bytesBefore = this.tcp.bytesRead;
      // MQTT travels in binary frames only (MQTT 3.1.1, 6.0).
      if (isBinary) listener.received(data as Buffer);
      else this.socket.close(1003);
    });
    this.socket.once('close', () => listener.closed());
  }

  send(bytes: Buffer): void {
    if (this.waiting.length === 0) setImmediate(() => this.flush());
    this.waiting.push(bytes);
    this.bytes += bytes.length;
  }

  drained(): Promise<void> {
    this.flush();
    const { tcp } = this;
    if (tcp.destroyed || !tcp.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        tcp.off('drain', done).off('close', done);
        resolve();
      };
      tcp.on('drain', done).on('close', done);
    });
  }

  setReading(reading: boolean): void {
    if (reading) this.socket.resume();
    else this.socket.pause();
  }

  end(): void {
    this.flush();
    this.socket.close(1000);
    this.socket.resume();
    setTimeout(() => this.socket.terminate(), ENDING_MS).unref();
  }

  private flush(): void {
    const { waiting } = this;
    if (waiting.length === 0) return;
    this.waiting = [];
    this.bytes = 0;
    if (this.open) this.socket.send(waiting.length === 1 ? (waiting[0] as Buffer) : Buffer.concat(waiting));
  }
}
