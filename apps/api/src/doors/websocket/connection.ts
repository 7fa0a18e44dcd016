import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Actor } from '@verbatim/domain';
import { closeReasons, errorFrame, type ServerData, type ServerEvent } from '@verbatim/protocol';
import type { WebSocket } from 'ws';
import type { Scopes } from '../../application/sessions/authentication.js';
import { Outbox } from '../../host/outbox.js';
import { controlFrame } from '../../host/websocket-frames.js';
import type { ConnectionAllowances } from '../../limits/limits.js';
import type { EncodedEvents, Encoder, Subscriber } from '../../live/subscriber.js';
import type { ErrorAnswer } from '../refusal.js';
import { encode, type Ref } from './frame-text.js';
import { jsonEncoder } from './json-encoder.js';

/** Limits of one connection. */
export const connectionLimits = {
  /** Bytes waiting to be sent; a client that lets more pile up is too slow and is disconnected. */
  waitingBytes: 4_194_304,
  /** Bytes waiting below which more of the past is read for the client. */
  lowWaterBytes: 524_288,
  /** Frames of the client in progress at a time; further ones wait, and nothing more is read until some are done. */
  framesInWork: 64,
  /** Unanswered pings after which the client counts as gone when the next one is due. */
  unansweredPings: 2,
} as const;

/** One client's WebSocket: who it is, its limits, and the only way to send frames to it. */
export class Connection implements Subscriber {
  private framesInWork = 0;
  /** Frames from the same packet as those in progress; a pause takes effect only after the packet. */
  private readonly waiting: (() => unknown)[] = [];
  private reading = true;
  /** Payloads of our unanswered pings. */
  private pingsSent: Buffer[] = [];
  /** Payload of the client's latest ping in this turn of the event loop. */
  private pingToAnswer: Buffer | null = null;
  private readonly outbox: Outbox;

  constructor(
    private readonly socket: WebSocket,
    wire: Socket,
    public actor: Actor,
    readonly username: string,
    readonly sessionId: string,
    readonly scopes: Scopes,
    readonly allowances: ConnectionAllowances,
  ) {
    this.outbox = new Outbox(wire, () => this.open);
  }

  get encoder(): Encoder {
    return jsonEncoder;
  }

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  send<E extends ServerEvent>(event: E, data: ServerData<E>, ref?: Ref): void {
    this.write(encode(event, data, ref));
  }

  /** Answers with an error. */
  sendRefusal({ code, detail, more }: ErrorAnswer, ref?: Ref): void {
    const { errors, retryAfterMs } = more;
    const optional = { ...(errors && { errors: [...errors] }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
    this.send('error', errorFrame(code, detail, optional), ref);
  }

  /** Answers with an error. A client that keeps getting `rate_limited` is disconnected. */
  refuse(refusal: ErrorAnswer, ref?: Ref): void {
    this.sendRefusal(refusal, ref);
    if (refusal.code === 'rate_limited') this.losePatience();
  }

  /**
   * Counts a frame of any kind, fragments and control frames included. Returns the milliseconds until one more is allowed, 0 if
   * this one is. A client that keeps sending too many is disconnected.
   */
  countFrame(): number {
    const wait = this.allowances.frames.spend();
    if (wait > 0) this.losePatience();
    return wait;
  }

  private losePatience(): void {
    if (this.allowances.patience.spend() > 0) this.close('rateLimited');
  }

  /** Sends a frame, which may be the same bytes for many connections. */
  write(frame: Buffer, _events?: EncodedEvents): void {
    if (!this.open) return;
    if (this.outbox.filling && this.outbox.waitingBytes > connectionLimits.waitingBytes) {
      // Frames under way go out first, so that a client that reads on in time learns why it is disconnected.
      this.close('tooSlow');
      return;
    }
    this.outbox.put(frame);
  }

  get congested(): boolean {
    return this.open && this.outbox.waitingBytes > connectionLimits.lowWaterBytes;
  }

  drained(): Promise<void> {
    return this.outbox.drained();
  }

  close(reason: keyof typeof closeReasons): void {
    const { code, name } = closeReasons[reason];
    this.outbox.flush();
    this.socket.close(code, name);
  }

  // Heartbeat ---------------------------------------------------------------------------------------------------------

  /** Pings; a client that has not answered the last two is gone. While reading is paused, its answers are not read either. */
  beat(): void {
    if (!this.reading) return;
    if (this.pingsSent.length >= connectionLimits.unansweredPings) {
      this.socket.terminate();
      return;
    }
    const payload = randomBytes(8);
    this.pingsSent.push(payload);
    this.write(controlFrame('ping', payload));
  }

  /** Only a pong with the payload of one of our pings shows that the client reads what it is sent. */
  handlePong(payload: Buffer): void {
    if (!this.open || this.countFrame() > 0) return;
    if (this.pingsSent.some((sent) => sent.equals(payload))) this.pingsSent = [];
  }

  /**
   * Of several pings in one turn of the event loop only the latest is answered (RFC 6455, 5.5.3), and the answer counts as
   * waiting data like any other frame.
   */
  handlePing(payload: Buffer): void {
    if (!this.open || this.countFrame() > 0) return;
    if (this.pingToAnswer === null) setImmediate(() => this.answerPing());
    this.pingToAnswer = payload;
  }

  private answerPing(): void {
    if (this.pingToAnswer) this.write(controlFrame('pong', this.pingToAnswer));
    this.pingToAnswer = null;
  }

  // Frames in progress -------------------------------------------------------------------------------------------------

  /** Runs `answer` for a frame, now or when its turn comes. If it returns a promise, the frame is in progress until that settles. */
  enqueue(answer: () => unknown): void {
    if (this.framesInWork < connectionLimits.framesInWork) void this.work(answer);
    else this.waiting.push(answer);
  }

  /** While the maximum number of frames is in progress, nothing is read from the client. */
  private async work(answer: () => unknown): Promise<void> {
    this.framesInWork += 1;
    if (this.framesInWork === connectionLimits.framesInWork) this.setReading(false);
    try {
      await answer();
    } finally {
      this.framesInWork -= 1;
      const next = this.waiting.shift();
      if (next) void this.work(next);
      else if (!this.reading) this.setReading(true);
    }
  }

  private setReading(reading: boolean): void {
    this.reading = reading;
    if (reading) this.socket.resume();
    else this.socket.pause();
  }
}
