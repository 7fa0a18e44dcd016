import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { Intake } from '../../host/intake.js';
import { Outbox } from '../../host/outbox.js';
import { binaryFrame, controlFrame } from '../../host/websocket-frames.js';
import { maxPacketBytes } from './packets.js';
import type { Forms } from './publication.js';

/** Bytes of a message of a WebSocket, which may hold several packets. Longer ones end the connection. */
export const maxMessageBytes = 8 * maxPacketBytes;

/** Why a client is not read: it has to wait, or the rest of what it sent is handled in the next turn. */
export type PauseReason = 'limits' | 'turn';

/** Receives the bytes of a wire. */
export interface WireListener {
  received(bytes: Buffer): void;
  /** A frame without bytes of its own: a ping, or the fragment of a message. */
  receivedFrame(): void;
  /** The connection has closed. */
  closed(): void;
}

/** A client's connection over TCP or WebSocket. Everything sent in one turn of the event loop goes out in one write. */
export interface Wire {
  readonly address: string;
  readonly open: boolean;
  /** Bytes of a message that has not arrived completely. */
  readonly heldBytes: number;
  listen(listener: WireListener): void;
  /** Sends a packet. */
  send(packet: Buffer): void;
  /** Sends a text at QoS 1 under this packet id; null: at QoS 0. */
  publish(forms: Forms, id: number | null): void;
  /** Whether more bytes than this are waiting for the network. */
  holdsBack(bytes: number): boolean;
  /** Resolves when everything has been handed to the network, or the wire has closed. */
  drained(): Promise<void>;
  /** Stops or continues reading, for one reason: it is read while none forbids it. */
  setReading(reading: boolean, reason?: PauseReason): void;
  /** Ends the connection after everything has been sent. */
  end(): void;
}

/** Milliseconds that a client has to close an ended connection. */
const ENDING_MS = 2_000;

export class TcpWire implements Wire {
  readonly heldBytes = 0;
  private readonly outbox: Outbox;
  private readonly paused = new Set<PauseReason>();

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

  setReading(reading: boolean, reason: PauseReason = 'limits'): void {
    if (reading) this.paused.delete(reason);
    else this.paused.add(reason);
    if (this.paused.size === 0) this.socket.resume();
    else this.socket.pause();
  }

  end(): void {
    this.outbox.flush();
    this.socket.end();
    // A paused socket would not notice that the other end has closed.
    this.socket.resume();
    setTimeout(() => this.socket.destroy(), ENDING_MS).unref();
  }
}

/** Sends each packet as its own message. */
export class WebSocketWire implements Wire {
  private readonly outbox: Outbox;
  private readonly paused = new Set<PauseReason>();
  private readonly intake: Intake;
  /** Bytes received when the last message was complete. */
  private bytesBefore: number;

  constructor(
    private readonly socket: WebSocket,
    private readonly tcp: Socket,
    readonly address: string,
  ) {
    this.bytesBefore = tcp.bytesRead;
    this.outbox = new Outbox(tcp, () => this.open);
    this.intake = new Intake(socket, tcp);
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get heldBytes(): number {
    return Math.min(this.tcp.bytesRead - this.bytesBefore, maxMessageBytes);
  }

  listen(listener: WireListener): void {
    this.intake.onFragment = () => listener.receivedFrame();
    this.socket.on('ping', (payload: Buffer) => {
      listener.receivedFrame();
      // Clients that do not read get no answers.
      if (this.open && this.outbox.waitingBytes === 0) this.outbox.put(controlFrame('pong', payload));
    });
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

  setReading(reading: boolean, reason: PauseReason = 'limits'): void {
    if (reading) this.paused.delete(reason);
    else this.paused.add(reason);
    if (this.paused.size === 0) this.socket.resume();
    else this.socket.pause();
  }

  end(): void {
    this.outbox.flush();
    this.socket.close(1000);
    this.socket.resume();
    setTimeout(() => this.socket.terminate(), ENDING_MS).unref();
  }
}
