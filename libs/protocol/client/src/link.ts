import { closeReasons, type ServerFrame } from '@verbatim/protocol';
import { type Backoff, pause, pauseAfter } from './backoff.js';
import type { Caller } from './caller.js';
import { Connection, type SocketClass } from './connection.js';
import type { Servers } from './servers.js';
import { VerbatimError } from './verbatim-error.js';

export type LinkState = 'connecting' | 'online' | 'offline';

/** Callbacks of the link to its client. */
export interface LinkListener {
  state(state: LinkState): void;
  online(connection: Connection): void;
  frame(frame: ServerFrame): void;
  /** The session was revoked. The next attempt shows whether the person can sign in again. */
  revoked(): void;
  /** Reconnecting is impossible, in most cases without signing in again. */
  failed(error: unknown): void;
}

export interface LinkOptions {
  readonly backoff: Backoff;
  /** Milliseconds in which silence of the server is noticed. */
  readonly silenceMs: number;
}

/** Milliseconds after which a connection counts as a success, which resets the pauses. */
const STEADY = 5_000;
/** The number of failures that exceeding a limit counts for. */
const TOO_MUCH = 5;

/** Keeps a connection to one of the servers from `start` to `stop`, and reconnects when it is lost. */
export class Link {
  private current: Connection | null = null;
  private running: AbortController | null = null;
  private reported: LinkState = 'offline';

  constructor(
    private readonly servers: Servers,
    private readonly caller: Caller,
    private readonly socketClass: () => Promise<SocketClass>,
    private readonly listener: LinkListener,
    private readonly options: LinkOptions,
  ) {}

  get state(): LinkState {
    return this.reported;
  }

  /** The connection for frames; null while there is none, or it is about to end. */
  get connection(): Connection | null {
    return this.current?.open ? this.current : null;
  }

  start(): void {
    if (this.running) return;
    const running = new AbortController();
    this.running = running;
    void this.run(running.signal).finally(() => {
      if (this.running === running) this.running = null;
    });
  }

  stop(): void {
    this.running?.abort(new Error('The client was closed.'));
    this.running = null;
    this.current = null;
    this.become('offline');
  }

  private async run(signal: AbortSignal): Promise<void> {
    try {
      for (let failures = 0; ; ) {
        this.become('connecting');
        const connected = await this.connect(signal);
        const since = Date.now();
        const penalty = typeof connected === 'number' ? connected : await this.stay(connected, signal);
        failures = Date.now() - since >= STEADY ? penalty : failures + penalty;
        this.become('offline');
        await pause(pauseAfter(failures, this.options.backoff), signal);
      }
    } catch (error) {
      if (signal.aborted) return;
      this.become('offline');
      this.listener.failed(error);
    }
  }

  /** Makes one attempt; resolves with the number of failures that it counts for, if another one may succeed. */
  private async connect(signal: AbortSignal): Promise<Connection | number> {
    const SocketClass = await this.socketClass();
    let { current: server } = this.servers;
    try {
      const { body } = await this.caller.once('makeTicket', {}, { signal });
      signal.throwIfAborted();
      server = this.servers.current;
      const take = (frame: ServerFrame) => this.take(frame);
      return await Connection.open(SocketClass, server, body.ticket, this.options.silenceMs, take, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof VerbatimError && !error.retryable && error.code !== 'internal') throw error;
      this.servers.giveUp(server);
      return error instanceof VerbatimError && error.code === 'rate_limited' ? TOO_MUCH : 1;
    }
  }

  /** Resolves when the connection has ended, with the number of failures that its end counts for. */
  private async stay(connection: Connection, signal: AbortSignal): Promise<number> {
    this.current = connection;
    this.become('online');
    this.listener.online(connection);
    const { code } = await connection.ended;
    signal.throwIfAborted();
    this.current = null;
    if (code === closeReasons.revoked.code) this.listener.revoked();
    else if (code !== closeReasons.tooSlow.code) this.servers.giveUp(connection.server);
    return code === closeReasons.rateLimited.code ? TOO_MUCH : 1;
  }

  private take(frame: ServerFrame): void {
    if (frame.event === 'drain') this.leaveSoon(frame.data.retryAfterMs);
    else this.listener.frame(frame);
  }

  /** The server is shutting down. Requests in progress finish, new ones go to another server. */
  private leaveSoon(milliseconds: number): void {
    const connection = this.current;
    if (!connection) return;
    this.servers.giveUp(connection.server);
    this.current = null;
    setTimeout(() => connection.close(), Math.random() * milliseconds);
  }

  private become(state: LinkState): void {
    if (state === this.reported) return;
    this.reported = state;
    this.listener.state(state);
  }
}
