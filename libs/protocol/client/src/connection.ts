import {
  type ClientDataToSend,
  type ClientEvent,
  type Maintenance,
  maxFrameBytes,
  type ServerFrame,
} from '@verbatim/protocol';
import { Unanswered, VerbatimError } from './verbatim-error.js';

/** The part of the standard WebSocket used here; those of browsers, Node 22 and `ws` all have it. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(code?: number): void;
}
export type SocketClass = new (url: string) => Socket;

/** Why a connection ended: the code of the socket, or our own reason. */
export interface Ending {
  /** From the table `closeReasons`, or WebSocket's own: 1006 if the connection was lost. */
  readonly code: number;
}

/** The outcome of a frame: its answer, or why there is none. */
type Settle = (answer: ServerFrame | VerbatimError | Unanswered) => void;

interface Waiting {
  readonly text: string;
  readonly ref: number;
  readonly settle: Settle;
}

/** WebSocket's own code for a connection that ended without a close frame. */
const lost = { code: 1006 } as const;

/** Frames that may await answers; further ones are sent when answers have arrived. The server accepts 64. */
const MOST_ASKED = 32;

/** An admitted socket. Matches frames with their answers, and treats silence as a lost connection. */
export class Connection {
  private readonly asked = new Map<number, Settle>();
  private readonly waiting: Waiting[] = [];
  private ref = 0;
  private heardAt = Date.now();
  private pingedAt: number | null = null;
  private welcome = false;
  private mostBytes = maxFrameBytes;
  /** The maintenance state when it was opened. */
  maintenance: Maintenance | null = null;
  private ending: Ending | null = null;
  private readonly watch: ReturnType<typeof setInterval>;
  private end: (ending: Ending) => void = () => undefined;
  /** Resolves when it has ended, from either side. */
  readonly ended = new Promise<Ending>((resolve) => {
    this.end = resolve;
  });

  private constructor(
    private readonly socket: Socket,
    readonly server: string,
    private readonly silenceMs: number,
    private readonly take: (frame: ServerFrame) => void,
  ) {
    this.watch = setInterval(() => this.listen(), silenceMs / 15);
  }

  /**
   * Opens a socket with a ticket; resolves when the server has sent `hello`, rejects with Unanswered otherwise.
   * `take` gets every frame that is not an answer. `silenceMs` is the longest time for which silence goes unnoticed.
   * The connection ends at the latest when `signal` is aborted.
   */
  static open(
    SocketClass: SocketClass,
    server: string,
    ticket: string,
    silenceMs: number,
    take: (frame: ServerFrame) => void,
    signal: AbortSignal,
  ): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const url = `${server.replace(/^http/, 'ws')}/v1/ws?ticket=${encodeURIComponent(ticket)}`;
      const connection = new Connection(new SocketClass(url), server, silenceMs, (frame) => {
        if (frame.event !== 'hello') return take(frame);
        connection.mostBytes = frame.data.maxFrameBytes;
        // An older service does not know of it.
        connection.maintenance = frame.data.maintenance ?? null;
        connection.welcome = true;
        resolve(connection);
      });
      connection.begin(signal);
      void connection.ended.then((ending) =>
        reject(new Unanswered(true, new Error(`WebSocket closed ${ending.code}`))),
      );
    });
  }

  get open(): boolean {
    return this.ending === null;
  }

  /**
   * Sends a frame and calls `settle` with its answer, before any later frame is handled. Returns a function that withdraws the
   * frame if it has not been sent yet, and says whether it did; `settle` is not called then.
   */
  ask<E extends ClientEvent>(event: E, data: ClientDataToSend<E>, settle: Settle): () => boolean {
    const ref = ++this.ref;
    const text = JSON.stringify({ event, ref, data });
    if (this.ending) settle(new Unanswered(false));
    else if (isLonger(text, this.mostBytes))
      settle(new VerbatimError('too_large', `A frame takes at most ${this.mostBytes} bytes.`));
    else {
      this.waiting.push({ text, ref, settle });
      this.sendWaiting();
    }
    return () => {
      const place = this.waiting.findIndex((waiting) => waiting.ref === ref);
      if (place >= 0) this.waiting.splice(place, 1);
      return place >= 0;
    };
  }

  /** Sends a frame that needs no answer. */
  send<E extends ClientEvent>(event: E, data: ClientDataToSend<E>): void {
    if (!this.ending) this.socket.send(JSON.stringify({ event, data }));
  }

  close(): void {
    this.finish({ code: 1000 });
  }

  private begin(signal: AbortSignal): void {
    const close = () => this.close();
    signal.addEventListener('abort', close, { once: true });
    void this.ended.then(() => signal.removeEventListener('abort', close));
    this.socket.onmessage = ({ data }: { data: unknown }) => {
      if (typeof data === 'string') this.hear(data);
    };
    this.socket.onclose = ({ code }: { code: number }) => this.finish({ code });
    this.socket.onerror = () => undefined;
  }

  private hear(text: string): void {
    this.heardAt = Date.now();
    this.pingedAt = null;
    const frame = readFrame(text);
    if (!frame) return;
    const settle = typeof frame.ref === 'number' ? this.asked.get(frame.ref) : undefined;
    if (!settle) {
      this.take(frame);
      return;
    }
    this.asked.delete(frame.ref as number);
    settle(frame.event === 'error' ? VerbatimError.of(frame.data) : frame);
    this.sendWaiting();
  }

  private sendWaiting(): void {
    while (this.waiting.length > 0 && this.asked.size < MOST_ASKED && !this.ending) {
      const { text, ref, settle } = this.waiting.shift() as Waiting;
      this.asked.set(ref, settle);
      this.socket.send(text);
    }
  }

  /** Suspended servers leave their sockets open. Browsers do not expose pings, so the client sends its own. */
  private listen(): void {
    const now = Date.now();
    const patience = this.silenceMs / 3;
    const quiet = this.asked.size > 0 ? this.silenceMs / 6 : this.silenceMs / 3;
    if (this.pingedAt !== null) {
      if (now - this.pingedAt >= patience) this.finish(lost);
    } else if (now - this.heardAt >= quiet) {
      this.pingedAt = now;
      if (this.welcome) this.send('ping', {});
    }
  }

  private finish(ending: Ending): void {
    if (this.ending) return;
    this.ending = ending;
    clearInterval(this.watch);
    this.socket.onmessage = null;
    letGo(this.socket);
    for (const settle of this.asked.values()) settle(new Unanswered(true));
    for (const { settle } of this.waiting) settle(new Unanswered(false));
    this.asked.clear();
    this.waiting.length = 0;
    this.end(ending);
  }
}

/** Ignores data that is not a frame, and frames that later versions of the service may add. */
function readFrame(text: string): ServerFrame | null {
  try {
    const frame = JSON.parse(text) as ServerFrame | null;
    return typeof frame?.event === 'string' && typeof frame.data === 'object' && frame.data !== null ? frame : null;
  } catch {
    return null;
  }
}

/** In UTF-8, a unit of a string becomes at most three bytes. */
const isLonger = (text: string, bytes: number): boolean =>
  text.length * 3 > bytes && new TextEncoder().encode(text).length > bytes;

/** `ws` can end a socket without waiting for the other side, browsers cannot. */
function letGo(socket: Socket & { terminate?(): void }): void {
  const timer = setTimeout(() => socket.terminate?.(), 1_000);
  socket.onclose = () => clearTimeout(timer);
  socket.close();
}
