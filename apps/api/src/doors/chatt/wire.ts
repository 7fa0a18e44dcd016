import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { Outbox } from '../../host/outbox.js';
import { binaryFrame } from '../../host/websocket-frames.js';
import { maxPacketBytes } from './packets.js';
import type { Forms } from './publication.js';

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
  /** Bytes that were received and not handed on, because they are part of a message that has not arrived in full. */
  readonly heldBytes: number;
  listen(listener: WireListener): void;
  /** Sends a packet. */
  send(packet: Buffer): void;
  /** Sends a text: at QoS 1 with this packet id; null: at QoS 0. */
  publish(forms: Forms, id: number | null): void;
  /** Whether more bytes than this have not been handed to the network yet. */
  holdsBack(bytes: number): boolean;
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
  private readonly outbox: Outbox;

  constructor(
    private readonly socket: Socket,
    readonly address: string,
  ) {
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
    this.outbox = new Outbox(socket, () => true);
  }

  get open(): boolean {
    return this.socket.writable;
  }

  listen(listener: WireListener): void {
    this.socket.on('data', (bytes: Buffer) => listener.received(bytes));
    this.socket.once('close', () => listener.closed());
  }

  send(packet: Buffer): void {
    this.outbox.put(packet);
  }

  publish(forms: Forms, id: number | null): void {
    this.outbox.put(id === null ? forms.packet : forms.packetWithId(id));
  }

  holdsBack(bytes: number): boolean {
    return this.outbox.filling && this.outbox.waitingBytes > bytes;
  }

  drained(): Promise<void> {
    return this.outbox.drained();
  }

  setReading(reading: boolean): void {
    if (reading) this.socket.resume();
    else this.socket.pause();
  }

  end(): void {
    this.outbox.flush();
    this.socket.end();
    // A paused socket would never see the other end go.
    this.socket.resume();
    setTimeout(() => this.socket.destroy(), ENDING_MS).unref();
  }
}

/** Each packet is a message of its own. */
export class WebSocketWire implements Wire {
  private readonly outbox: Outbox;
  /** Bytes that had come when the last message was complete. */
  private bytesBefore: number;

  constructor(
    private readonly socket: WebSocket,
    private readonly tcp: Socket,
    readonly address: string,
  ) {
    this.bytesBefore = tcp.bytesRead;
    this.outbox = new Outbox(tcp, () => this.open);
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
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

  send(packet: Buffer): void {
    this.outbox.put(binaryFrame(packet));
  }

  publish(forms: Forms, id: number | null): void {
    this.outbox.put(id === null ? forms.frame : forms.frameWithId(id));
  }

  holdsBack(bytes: number): boolean {
    return this.outbox.filling && this.outbox.waitingBytes > bytes;
  }

  drained(): Promise<void> {
    return this.outbox.drained();
  }

  setReading(reading: boolean): void {
    if (reading) this.socket.resume();
    else this.socket.pause();
  }

  end(): void {
    this.outbox.flush();
    this.socket.close(1000);
    this.socket.resume();
    setTimeout(() => this.socket.terminate(), ENDING_MS).unref();
  }
}
