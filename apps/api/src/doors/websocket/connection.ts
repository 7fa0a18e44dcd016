import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Actor } from '@verbatim/domain';
import { closeReasons, errorFrame, type ServerData, type ServerEvent } from '@verbatim/protocol';
import type { WebSocket } from 'ws';
import type { Scopes } from '../../application/accounts/authentication.js';
import type { ConnectionAllowances } from '../../limits/limits.js';
import type { Refusal } from '../refusal.js';
import { controlFrame, encode } from './frame-text.js';
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
  /** Pings without an answer; at the next beat the client counts as gone. */
  unansweredPings: 2,
} as const;

/** One client's socket: who it is, what it follows, and the only way by which frames go out to it. */
export class Connection {
  /** Events held back for all rooms whose past is still being sent. */
  eventsHeld = 0;
  /** Followings whose past is being sent, or was when they ended. */
  catchingUp = 0;
  private framesInWork = 0;
  /** Frames that came in one packet with those in work; a pause takes effect only after the packet. */
  private readonly waiting: (() => unknown)[] = [];
  private turn: Promise<void> = Promise.resolve();
  private heard = true;
  /** Payloads of our pings that have no answer yet. */
  private pingsSent: Buffer[] = [];
  /** Payload of the client's latest ping in this turn of the event loop. */
  private pingToAnswer: Buffer | null = null;
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

  /** Answers with an error. */
  tellRefusal({ code, detail, more }: Refusal, ref?: string | number): void {
    const { errors, retryAfterMs } = more;
    const told = { ...(errors && { errors: [...errors] }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
    this.send('error', errorFrame(code, detail, told), ref);
  }

  /** Answers with an error. A client that keeps being told `rate_limited` is disconnected. */
  refuse(refusal: Refusal, ref?: string | number): void {
    this.tellRefusal(refusal, ref);
    if (refusal.code === 'rate_limited') this.losePatience();
  }

  /**
   * Counts a frame of any kind, fragments and control frames included. Returns the milliseconds until one more is allowed, 0 if
   * this one is. A client that keeps sending too many is disconnected.
   */
  countFrame(): number {
    const wait = this.allowances.frames.take();
    if (wait > 0) this.losePatience();
    return wait;
  }

  private losePatience(): void {
    if (this.allowances.patience.take() > 0) this.close('rateLimited');
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

  // Signs of life -----------------------------------------------------------------------------------------------------

  /** Pings; a client that has not answered the last two is gone. While it is not listened to, nor are its answers. */
  beat(): void {
    if (!this.heard) return;
    if (this.pingsSent.length >= connectionLimits.unansweredPings) {
      this.socket.terminate();
      return;
    }
    const payload = randomBytes(8);
    this.pingsSent.push(payload);
    this.sendBytes(controlFrame(0x9, payload));
  }

  /** The client has sent a pong. Only one with the payload of a ping of ours shows that it reads what it is sent. */
  heardPong(payload: Buffer): void {
    if (!this.open || this.countFrame() > 0) return;
    if (this.pingsSent.some((sent) => sent.equals(payload))) this.pingsSent = [];
  }

  /**
   * The client has sent a ping. Of several in one turn of the event loop only the latest is answered (RFC 6455, 5.5.3), and
   * the answer counts as waiting data like any other frame.
   */
  heardPing(payload: Buffer): void {
    if (!this.open || this.countFrame() > 0) return;
    if (this.pingToAnswer === null) setImmediate(() => this.answerPing());
    this.pingToAnswer = payload;
  }

  private answerPing(): void {
    if (this.pingToAnswer) this.sendBytes(controlFrame(0xa, this.pingToAnswer));
    this.pingToAnswer = null;
  }

  // Frames in work ----------------------------------------------------------------------------------------------------

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
