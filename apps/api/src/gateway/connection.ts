import type { Socket } from 'node:net';
import type { Actor } from '@verbatim/domain';
import { closeReasons, errorFrame, type ServerData, type ServerEvent } from '@verbatim/protocol';
import type { WebSocket } from 'ws';
import type { Scopes } from '../accounts/authentication.js';
import type { ConnectionAllowances } from '../limits/limits.js';
import type { Refusal } from '../rest/refusal.js';
import { encode } from './frame-text.js';
import { Outbox } from './outbox.js';

/** Limits of one connection. */
export const connectionLimits = {
  /** Bytes waiting to be sent; a client that lets more pile up is too slow and is closed. */
  waitingBytes: 4_194_304,
  /** Bytes waiting below which further history is read for the client. */
  lowWaterBytes: 524_288,
  /** Rooms followed at a time. */
  rooms: 1_000,
  /** Frames of the client being worked on; further ones wait, and nothing more is read until some are done. */
  framesInWork: 64,
} as const;

/** One client's socket: who it is, what it follows, and the only way by which frames go out to it. */
export class Connection {
  missedPongs = 0;
  /** Events held back for all rooms whose past is still being sent. */
  eventsHeld = 0;
  /** Followings whose past is being sent, or was when they ended. */
  catchingUp = 0;
  private framesInWork = 0;
  /** Frames that came in one packet with those in work; a pause takes effect only after the packet. */
  private readonly waiting: (() => unknown)[] = [];
  private turn: Promise<void> = Promise.resolve();
  private heard = true;
  private readonly outbox: Outbox;

  constructor(
    private readonly socket: WebSocket,
    wire: Socket,
    /** Changes with the person's role on the server. */
    public actor: Actor,
    readonly username: string,
    /** Of the session, or of the personal token that opened it. */
    readonly sessionId: string,
    readonly scopes: Scopes,
    readonly allowances: ConnectionAllowances,
  ) {
    this.outbox = new Outbox(socket, wire);
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  send<E extends ServerEvent>(event: E, data: ServerData<E>, ref?: string | number): void {
    this.sendBytes(encode(event, data, ref));
  }

  refuse({ code, detail, more }: Refusal, ref?: string | number): void {
    const { errors, retryAfterMs } = more;
    const told = { ...(errors && { errors: [...errors] }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
    this.send('error', errorFrame(code, detail, told), ref);
    // Whoever goes on all the same is not listening.
    if (code === 'rate_limited' && this.allowances.patience.take() > 0) this.close('rateLimited');
  }

  /** Sends a frame that was encoded once for many. */
  sendBytes(frame: Buffer): void {
    if (!this.open) return;
    if (this.outbox.filling && this.outbox.waitingBytes > connectionLimits.waitingBytes) {
      // What is under way goes out first, so that a client that reads on in time learns why it ends.
      this.close('tooSlow');
      return;
    }
    this.outbox.put(frame);
  }

  /** Whether so much is waiting to be sent that the past has to wait. */
  get crowded(): boolean {
    return this.open && this.outbox.waitingBytes > connectionLimits.lowWaterBytes;
  }

  /** Resolves when what was waiting has been sent, or the connection has ended. */
  someSent(): Promise<void> {
    return this.outbox.drained();
  }

  /** Does one thing after the other, so that of many rooms' past no more than a page is held for a client at a time. */
  inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.turn.then(work);
    this.turn = done.catch(() => undefined);
    return done;
  }

  close(reason: keyof typeof closeReasons): void {
    const { code, name } = closeReasons[reason];
    this.outbox.flush();
    this.socket.close(code, name);
  }

  /** Pings; a client that has not answered the last two is gone. While it is not listened to, nor are its answers. */
  beat(): void {
    if (!this.heard) return;
    if (this.missedPongs >= 2) {
      this.socket.terminate();
      return;
    }
    this.missedPongs += 1;
    this.socket.ping();
  }

  /** Does what a frame asks for, now or when its turn comes. `answer` may return a promise of being done. */
  take(answer: () => unknown): void {
    if (this.framesInWork < connectionLimits.framesInWork) void this.work(answer);
    else this.waiting.push(answer);
  }

  /** While it works on as many frames as are allowed, the client is not listened to. */
  private async work(answer: () => unknown): Promise<void> {
    this.framesInWork += 1;
    if (this.framesInWork === connectionLimits.framesInWork) this.heed(false);
    try {
      await answer();
    } finally {
      this.framesInWork -= 1;
      const next = this.waiting.shift();
      if (next) void this.work(next);
      else if (!this.heard) this.heed(true);
    }
  }

  /** Stops or goes on reading the client's frames. */
  private heed(listen: boolean): void {
    this.heard = listen;
    if (listen) this.socket.resume();
    else this.socket.pause();
  }
}
