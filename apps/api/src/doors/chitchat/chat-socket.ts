import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandBus } from '@nestjs/cqrs';
import { type Actor, isRejection, nameKey, type Rejection, reject } from '@verbatim/domain';
import type { WebSocket } from 'ws';
import { ApplyToRoomCommand } from '../../application/rooms/room-commands.js';
import type { Authentication } from '../../application/sessions/authentication.js';
import { limited, limitedFor } from '../../limits/limited.js';
import { type ConnectionAllowances, type Limits, spend } from '../../limits/limits.js';
import type { LiveRooms } from '../../live/live-rooms.js';
import type { EncodedEvents, EndReason, Subscriber } from '../../live/subscriber.js';
import type { Subscribers } from '../../live/subscribers.js';
import { newId } from '../../new-id.js';
import { asRequest, type Tracing } from '../../telemetry/tracing.js';
import { DEFAULT_COLOR } from './colors.js';
import { DOOR, newContext } from './context.js';
import { isMove, noteEncoder, type Translator } from './encoder.js';
import { type ClientFrame, frameOf, joinText, leaveText, readFrame } from './frames.js';
import { Outgoing } from './outgoing.js';
import type { People } from './people.js';
import type { Holder } from './room-tokens.js';
import type { Comer, Seats } from './seats.js';
import type { Visitor, Visitors } from './visitors.js';

/** Frames that may wait behind the one in progress; at this number, reading pauses. */
const FRAMES_WAITING = 32;

/** Milliseconds between two attempts to take a seat. */
const SEAT_PAUSE_MS = 100;

/** Close codes. The page only notices that the connection is closed. */
const closing = { over: 1000, away: 1001, refused: 1008, tryAgain: 1013 } as const;

/** The dependencies of connections. */
export interface SocketParts {
  readonly commands: CommandBus;
  readonly authentication: Authentication;
  readonly live: LiveRooms;
  readonly subscribers: Subscribers;
  readonly limits: Limits;
  readonly seats: Seats;
  readonly people: People;
  readonly visitors: Visitors;
  readonly translator: Translator;
  readonly tracing: Tracing | undefined;
  /** False shortly before a shutdown: frames of clients are then ignored. */
  readonly listening: () => boolean;
  /** Whether a connection belongs to this replica. */
  readonly isOpenHere: (connection: string) => boolean;
}

/** The room for which a connection was opened. */
export interface SocketRoom {
  readonly roomId: string;
  readonly number: number;
}

/** A person's seat in a room. */
interface Place {
  readonly visitor: Visitor;
  color: string;
}

/**
 * A WebSocket in one room. Its owner is known from the token with which it was opened, or else from the name with which it
 * joins. From then on it receives the events of the room until it leaves.
 */
export class ChatSocket implements Subscriber {
  /** Identifies the connection among those of all replicas. */
  readonly id = newId();
  readonly encoder = noteEncoder;
  actor: Actor = { id: '', role: 'user' };
  username = '';
  sessionId = '';
  activeAt = new Date();
  private place: Place | null = null;
  private entering = false;
  private inRoom = false;
  private ended = false;
  private turn: Promise<void> = Promise.resolve();
  private framesWaiting = 0;
  private allowances: ConnectionAllowances;
  private heard = true;
  private readonly outgoing: Outgoing;

  constructor(
    private readonly parts: SocketParts,
    private readonly socket: WebSocket,
    private readonly room: SocketRoom,
    private readonly address: string,
    /** The holder of the token with which it was opened. */
    private readonly holder: Holder | null,
    private readonly failed: (error: unknown) => void,
  ) {
    this.outgoing = new Outgoing(socket, (error) => {
      failed(error);
      this.hangUp('tryAgain');
    });
    // Has no owner until that is known.
    this.allowances = parts.limits.connection(`${DOOR} ${address}`);
    socket.on('message', (data: Buffer) => this.receive(data));
    socket.on('ping', () => this.count());
    socket.on('pong', () => {
      if (this.count()) this.heard = true;
    });
    socket.on('error', () => undefined);
    socket.once('close', () => this.end());
  }

  /** The owner of the connection, once it has joined. */
  get userId(): string | null {
    return this.place?.visitor.userId ?? null;
  }

  /** Ends the connection of a guest whose name was just registered. */
  yieldName(username: string): void {
    const visitor = this.place?.visitor;
    if (visitor && !visitor.verified && nameKey(visitor.name) === nameKey(username)) this.refuse(nameRegistered);
  }

  // Frames of the client ----------------------------------------------------------------------------------------------

  private receive(bytes: Buffer): void {
    if (!this.open || !this.parts.listening() || !this.count()) return;
    const frame = readFrame(bytes);
    if (!frame) return;
    this.activeAt = new Date();
    this.framesWaiting += 1;
    if (this.framesWaiting === FRAMES_WAITING) this.socket.pause();
    this.turn = this.turn
      .then(() => (this.ended ? undefined : this.obey(frame)))
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.framesWaiting -= 1;
        if (this.framesWaiting === 0) this.socket.resume();
      });
  }

  /** Counts a frame of any kind. A client that sends far too many is disconnected. */
  count(): boolean {
    if (this.allowances.frames.spend() === 0) return true;
    this.hangUp('refused');
    return false;
  }

  private obey(frame: ClientFrame): Promise<void> {
    if (frame.event === 'join') return this.join(frame);
    return frame.event === 'send' ? this.say(frame) : this.leave();
  }

  /** The page would not reconnect, so a failure does not end the connection of a person in the room. */
  private async fail(error: unknown): Promise<void> {
    this.failed(error);
    if (this.inRoom) return this.notify(unavailable);
    this.refuse(unavailable);
    await this.giveUpPlace().catch(this.failed);
  }

  /** A name already used in the room is refused silently, as in chitchat. */
  private async join({ name, color }: ClientFrame): Promise<void> {
    if (this.place) return;
    const { visitors, people, subscribers, limits } = this.parts;
    const { roomId } = this.room;
    const visitor = this.holder ? await visitors.known(this.holder) : await visitors.admit(name, this.address);
    if (isRejection(visitor)) return this.refuse(visitor);
    if (limits.socketsOfAccounts.full(visitor.userId)) return this.refuse(limited(1_000));
    if (await people.isNameTaken(roomId, visitor)) return;
    const seat = { roomId, userId: visitor.userId, name: visitor.name, color, connection: this.id };
    if (!(await this.takeSeat(seat))) return;
    people.forget(roomId, visitor.userId);
    this.place = { visitor, color };
    limits.socketsOfAccounts.enter(visitor.userId);
    const joined = await visitors.join(roomId, visitor);
    if (isRejection(joined)) {
      await this.giveUpPlace();
      return this.refuse(joined);
    }
    this.actor = visitor.actor;
    this.username = visitor.username;
    this.sessionId = visitor.sessionId;
    this.allowances = { ...limits.connection(visitor.userId), frames: this.allowances.frames };
    if (this.ended) return this.giveUpPlace();
    subscribers.add(this);
    // Changes to the account since it was checked did not reach this connection, which was not registered yet.
    if (this.parts.authentication.objection(this)) return this.hangUp('refused');
    await this.follow(visitor);
  }

  private async takeSeat(seat: Comer): Promise<boolean> {
    const { seats, isOpenHere } = this.parts;
    const since = Date.now();
    while (!(await seats.take(seat))) {
      const { full, waitMs } = await seats.obstacle(seat, isOpenHere);
      if (full) this.refuse(roomFull);
      if (full || this.ended || Date.now() - since >= waitMs) return false;
      await sleep(SEAT_PAUSE_MS);
    }
    return true;
  }

  private async follow(visitor: Visitor): Promise<void> {
    const { live } = this.parts;
    this.entering = true;
    try {
      const started = () => this.sendOwn('join', joinText(visitor.name));
      const following = await live.follow(this, this.room.roomId, undefined, { context: newContext() }, started);
      if (following === null) return this.hangUp('tryAgain');
      const failed = isRejection(following) ? following : await live.catchUp(following);
      if (failed) this.refuse(failed);
      this.inRoom = failed === null;
    } finally {
      this.entering = false;
    }
  }

  private async say({ msg, color }: ClientFrame): Promise<void> {
    const { place } = this;
    if (!place) return;
    const tooSoon = limitedFor(spend(this.allowances, 'post'));
    if (tooSoon) {
      this.notify(tooSoon);
      // A client that keeps doing this is disconnected eventually.
      return this.allowances.patience.spend() > 0 ? this.hangUp('refused') : undefined;
    }
    if (color !== place.color) {
      place.color = color;
      await this.parts.seats.setColor(this.id, color).catch(this.failed);
      this.parts.people.forget(this.room.roomId, place.visitor.userId);
    }
    const post = { type: 'PostMessage', messageId: newId(), text: msg, replyTo: null, kind: 'text' } as const;
    const { commands, tracing } = this.parts;
    const context = newContext();
    const said = await asRequest(tracing, context.correlation, 'chitchat message', () =>
      commands.execute(new ApplyToRoomCommand(this.room.roomId, { ...post, actor: this.actor }, context)),
    );
    if (isRejection(said)) this.notify(said);
  }

  private async leave(): Promise<void> {
    const { place } = this;
    if (!place) return;
    this.parts.subscribers.remove(this);
    this.sendOwn('leave', leaveText(place.visitor.name));
    await this.giveUpPlace();
  }

  private async giveUpPlace(): Promise<void> {
    if (this.place) this.parts.limits.socketsOfAccounts.leave(this.place.visitor.userId);
    this.place = null;
    this.inRoom = false;
    const ending = await this.parts.seats.giveUp(this.id);
    if (ending) await this.parts.visitors.settle(ending);
  }

  // The end -----------------------------------------------------------------------------------------------------------

  /** Others see it immediately; the seat is released when the frame in progress is done. */
  private end(): void {
    if (this.ended) return;
    this.ended = true;
    this.parts.subscribers.remove(this);
    this.turn = this.turn
      .then(() => {
        // It may have joined in the meantime.
        this.parts.subscribers.remove(this);
        return this.giveUpPlace();
      })
      .catch(this.failed);
  }

  /** Resolves when the connection has ended and is cleaned up. */
  get gone(): Promise<void> {
    return this.turn;
  }

  private hangUp(why: keyof typeof closing): void {
    this.socket.close(closing[why], why);
  }

  /** The person may not be here; the page would post without effect. */
  private refuse(rejection: Rejection): void {
    this.notify(rejection);
    this.outgoing.put(() => this.hangUp(rejection.rejected === 'Unavailable' ? 'tryAgain' : 'refused'));
  }

  close(reason: EndReason): void {
    this.hangUp(reason === 'drain' ? 'away' : 'refused');
  }

  /** The replica was silent for so long that others consider the person gone. */
  loseSeat(): void {
    this.hangUp('tryAgain');
  }

  /** Pings; a client that has not answered the last one is gone. */
  beat(): void {
    if (!this.heard) {
      this.socket.terminate();
      return;
    }
    this.heard = false;
    this.socket.ping();
  }

  // What the client gets ----------------------------------------------------------------------------------------------

  get open(): boolean {
    return this.socket.readyState === this.socket.OPEN;
  }

  get congested(): boolean {
    return this.outgoing.congested;
  }

  drained(): Promise<void> {
    return this.outgoing.drained();
  }

  /** Notes become frames once it is known how people appear. A person who joins does not receive the existing members. */
  write(bytes: Buffer, events?: EncodedEvents): void {
    if (!this.open || (!events && this.entering && isMove(bytes))) return;
    const translated = this.parts.translator.translate(bytes, this.room);
    translated.catch(() => undefined);
    this.outgoing.put(async () => {
      const { frames, over } = await translated;
      for (const frame of frames) this.outgoing.send(frame);
      if (over) this.hangUp('over');
    });
  }

  private sendOwn(event: 'join' | 'leave', msg: string): void {
    const { place } = this;
    if (!place) return;
    const look = { name: place.visitor.name, color: place.color, verified: place.visitor.verified };
    this.sendLater(frameOf(event, look, msg, this.room.number, new Date().toISOString()));
  }

  /** Shows a refusal as a message in the room, to this client only: chitchat has no frame for it. */
  private notify({ detail }: Rejection): void {
    const look = { name: DOOR, color: DEFAULT_COLOR, verified: false };
    this.sendLater(frameOf('send', look, detail, this.room.number, new Date().toISOString()));
  }

  private sendLater(frame: object): void {
    this.outgoing.put(() => this.outgoing.send(JSON.stringify(frame)));
  }
}

const nameRegistered = reject('NameTaken', 'Somebody has registered this name. Come back under another one.');
const roomFull = reject('Conflict', 'The room is full.');
const unavailable = reject('Unavailable', 'The service cannot reach its database at the moment. Try again.');
