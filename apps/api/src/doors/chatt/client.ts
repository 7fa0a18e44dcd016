import { setTimeout as sleep } from 'node:timers/promises';
import { type Actor, isRejection, nameKey, normalize, type Rejection, reject } from '@verbatim/domain';
import type {
  IConnectPacket,
  IDisconnectPacket,
  IPublishPacket,
  ISubscribePacket,
  IUnsubscribePacket,
  Packet,
} from 'mqtt-packet';
import type { CreationLimit } from '../../limits/creation-limit.js';
import type { ConnectionAllowances } from '../../limits/limits.js';
import type { Following } from '../../live/following.js';
import type { LiveRooms } from '../../live/live-rooms.js';
import type { EncodedEvents, Encoder, EndReason, Subscriber } from '../../live/subscriber.js';
import { newId } from '../../new-id.js';
import type { Problems } from '../problems.js';
import type { Admitted } from './admission.js';
import { Deliveries, maxUnacknowledged } from './deliveries.js';
import type { Dialect } from './dialect.js';
import { Piece } from './encoder.js';
import { BadPacket, type Ending } from './endings.js';
import { Inbox } from './inbox.js';
import { maxPayloadBytes, receiveMaximum } from './packets.js';
import { type Forms, Publication } from './publication.js';
import type { PublicationLedger } from './publication-ledger.js';
import { type Publisher, type Publishing, textIn } from './publishing.js';
import type { BegunConnection, Move, SessionLedger } from './session-ledger.js';
import { NotNow, Subscriptions, type SubscriptionsParts, subscriptionLimits } from './subscriptions.js';
import { longestKept, type Terms } from './terms.js';
import { isTopic, newRoomTopic, readTopic } from './topics.js';
import type { Wire } from './wire.js';

export const clientLimits = {
  /** Bytes waiting to be sent. Beyond this the client is too slow and is disconnected. */
  waitingBytes: 4_194_304,
  /** More of the past is read while fewer bytes are waiting. */
  lowWaterBytes: 524_288,
  /** Texts unacknowledged or waiting to be sent. Beyond this the client is too slow and is disconnected. */
  behind: 20_000,
  /** Milliseconds between attempts. */
  pauses: [200, 500, 1_000, 2_000],
  /** Milliseconds a command waits for a limit; it is refused if the wait is longer. */
  longestWait: 10_000,
  /** Milliseconds between checks of a limit and of the connection. */
  longestPause: 2_000,
  /** Attempts after the client has disconnected. */
  triesForGone: 4,
  /** Ids remembered of texts that are not sent back to their publisher. */
  own: 1_000,
} as const;

/** Shared by all clients. */
export interface ClientParts extends SubscriptionsParts {
  readonly live: LiveRooms;
  readonly publishing: Publishing;
  readonly ledger: SessionLedger;
  readonly publications: PublicationLedger;
  readonly problems: Problems;
  /** Limits how many rooms guests create. */
  readonly creation: CreationLimit;
  readonly encoderFor: (admitted: Admitted) => Encoder;
  /** A person greets or says goodbye. */
  readonly moved: (client: Client, here: boolean) => Promise<void>;
  /** A person says something. */
  readonly heard: (client: Client) => void;
}

/** A client whose CONNECT was accepted. */
export interface Introduced {
  readonly admitted: Admitted;
  readonly connect: IConnectPacket;
  readonly terms: Terms;
  readonly dialect: Dialect;
  /** The client id given to a client without one. */
  readonly assignedId: string | null;
  /** Null for clients without an id, which cannot resume. */
  readonly begun: BegunConnection | null;
  readonly places: ReadonlyMap<string, bigint>;
  readonly allowances: ConnectionAllowances;
}

/** Resolves with null when done. */
type Work = () => Promise<Rejection | null>;

/** The rooms of a batch of publications, by their names in topics. */
type Reached = Map<string, { readonly roomId: string } | Rejection>;

interface Received {
  readonly packet: IPublishPacket;
  /** The id of the message to post; QoS 1 and 2 only. */
  messageId?: string;
}

/** The result of a publication. `undone`: it was not stored and must not be acknowledged. */
type Outcome = Rejection | null | 'undone';

/** A publication on its way to the client. */
interface Outgoing {
  readonly publication: Piece['publication'];
  /** Null if it is not part of a room's log. */
  readonly piece: Piece | null;
}

/** One connected client: its publications, subscriptions and deliveries. */
export class Client implements Subscriber {
  actor: Actor;
  readonly username: string;
  readonly sessionId: string;
  readonly encoder: Encoder;
  readonly admitted: Admitted;
  /** The comparison key of a guest's name; null for other accounts. */
  readonly guestKey: string | null;
  /** When the last packet arrived, by `performance.now()`. */
  lastHeard = performance.now();
  private readonly subscriptions: Subscriptions;
  private readonly deliveries = new Deliveries();
  private readonly inbox: Inbox<Received>;
  /** Packet ids of publications in progress, or of QoS 2 and not released. */
  private readonly inWork = new Set<number>();
  private readonly pausedFor = new Set<'inbox' | 'limit'>();
  /** Waiting for an author's name, or for the client to acknowledge enough. */
  private held: Outgoing[] = [];
  private drainedListeners: (() => void)[] = [];
  /** Called at the next acknowledgement. */
  private acknowledgedOne: (() => void) | null = null;
  /** Ids of the client's own texts that it does not want back. */
  private readonly own = new Set<string>();
  private readonly will: IPublishPacket | null;
  private leaving: 'clean' | 'expelled' | null = null;
  /** The client disconnected but wants its will published (MQTT 5, 3.14.2.1). */
  private willAnyway = false;
  private keepSeconds: number;
  private welcomed = false;
  private deaf = false;
  private released: Promise<void> | null = null;

  constructor(
    private readonly parts: ClientParts,
    private readonly wire: Wire,
    private readonly introduced: Introduced,
  ) {
    const { admitted, connect, places, terms } = introduced;
    this.keepSeconds = terms.keepSeconds;
    this.admitted = admitted;
    this.actor = admitted.actor;
    this.guestKey = admitted.guest ? nameKey(admitted.shownName) : null;
    this.username = admitted.username;
    this.sessionId = admitted.sessionId;
    this.encoder = parts.encoderFor(admitted);
    this.subscriptions = new Subscriptions(parts, this, places);
    this.will = connect.will ? ({ ...connect.will, cmd: 'publish', dup: false } as IPublishPacket) : null;
    this.inbox = new Inbox({
      publish: (received) => this.publishAll(received),
      failed: (error) => this.failed(error),
      full: (full) => this.pause('inbox', full),
    });
  }

  /** Its entry in the ledger; null if it cannot resume. */
  get entry() {
    return this.introduced.begun?.entry ?? null;
  }

  /** Bytes published and not stored yet. */
  get heldBytes(): number {
    return this.inbox.heldBytes;
  }

  private get kept(): boolean {
    return this.introduced.terms.keepSeconds > 0;
  }

  /** Resumes the session and answers the CONNECT. */
  async begin(): Promise<void> {
    const kept = this.introduced.begun?.subscriptions ?? null;
    for (const { filter, qos, others } of kept ?? []) this.subscriptions.add(filter, qos, others);
    const followings = await this.subscriptions.follow(this.subscriptions.all.map(({ filter }) => filter));
    this.notePlaces(followings);
    // A session exists without subscriptions too.
    if (kept === null) await this.keepSubscriptions();
    this.send(this.dialect.welcome(kept !== null, this.introduced.assignedId));
    this.welcomed = true;
    this.catchUp(followings);
  }

  // Packets -----------------------------------------------------------------------------------------------------------

  /** Throws BadPacket. */
  handle(packet: Packet): void {
    if (!this.listens()) return;
    const { cmd } = packet;
    if (cmd === 'publish') this.receive(packet);
    else if (cmd === 'puback') this.settle(packet.messageId ?? 0);
    else if (cmd === 'pubrel') this.releaseId(packet.messageId ?? 0);
    else if (cmd === 'subscribe' && mayBeAsked(packet.subscriptions)) this.askToSubscribe(packet);
    else if (cmd === 'unsubscribe' && mayBeAsked(packet.unsubscriptions)) this.inbox.do(() => this.unsubscribe(packet));
    else if (cmd === 'pingreq') this.send(pingResponse);
    else if (cmd === 'disconnect') this.disconnect(packet);
    else throw new BadPacket(`Clients do not send ${cmd} like this.`, 'protocol');
  }

  /** The client has acknowledged this packet id. */
  acknowledged(packetId: number): void {
    if (this.listens()) this.settle(packetId);
  }

  /** Whether packets of the client are still processed. */
  private listens(): boolean {
    if (this.leaving || this.deaf || !this.open) return false;
    this.lastHeard = performance.now();
    this.countPacket(this.lastHeard);
    return true;
  }

  private receive(packet: IPublishPacket): void {
    this.checkAnnounced(packet);
    if (!isTopic(packet.topic)) throw new BadPacket('The topic is invalid.', 'topic');
    const id = packet.messageId ?? 0;
    // A publication in progress is acknowledged once it is done.
    if (packet.qos > 0 && this.inWork.has(id)) return;
    if (packet.qos > 0) this.inWork.add(id);
    this.put(packet);
  }

  /** Enforces what the CONNACK of MQTT 5 announces: no aliases, nothing retained, and the receive maximum. */
  private checkAnnounced({ properties, retain, qos, messageId = 0 }: IPublishPacket): void {
    if (this.introduced.terms.version !== 5) return;
    if (properties?.topicAlias !== undefined) throw new BadPacket('Topic aliases are not supported.', 'topicAlias');
    if (retain) throw new BadPacket('Retained messages are not supported.', 'retain');
    if (qos === 0) return;
    if (messageId === 0) throw new BadPacket('Packet id 0 is invalid.', 'protocol');
    if (this.inWork.size >= receiveMaximum && !this.inWork.has(messageId))
      throw new BadPacket('The receive maximum is exceeded.', 'receiveMaximum');
  }

  /** A payload that is too long will be refused, so it is dropped at once. */
  private put(packet: IPublishPacket): void {
    const { length } = packet.payload;
    if (length <= maxPayloadBytes) this.inbox.publish({ packet }, length);
    else this.inbox.publish({ packet: { ...packet, payload: nothing } }, 0);
  }

  private settle(packetId: number): void {
    this.deliveries.acknowledge(packetId);
    this.acknowledgedOne?.();
    this.noticeDrained();
  }

  /** The second half of QoS 2: the client knows that its publication has arrived. */
  private releaseId(messageId: number): void {
    this.send(this.dialect.released(messageId, this.inWork.delete(messageId)));
  }

  private disconnect({ reasonCode = 0, properties }: IDisconnectPacket): void {
    const keepSeconds = properties?.sessionExpiryInterval;
    if (keepSeconds && !this.kept) throw new BadPacket('The session has no expiry interval to change.', 'protocol');
    if (keepSeconds !== undefined) this.keepSeconds = Math.min(keepSeconds, longestKept);
    this.willAnyway = reasonCode !== 0;
    this.leaving = 'clean';
    this.wire.end();
  }

  private askToSubscribe(packet: ISubscribePacket): void {
    if (packet.properties?.subscriptionIdentifier !== undefined)
      throw new BadPacket('Subscription identifiers are not supported.', 'subscriptionIdentifiers');
    this.inbox.do(() => this.subscribe(packet));
  }

  private async subscribe({ messageId = 0, subscriptions }: ISubscribePacket): Promise<void> {
    if (!(await this.allowRead())) return;
    const grants = subscriptions.map(({ topic, qos, nl }) => this.subscriptions.add(topic, qos, nl));
    const asked = subscriptions.map(({ topic }) => topic);
    const followings = await this.subscriptions.follow(asked);
    this.notePlaces(followings);
    await this.keepSubscriptions();
    await this.save();
    this.send(this.dialect.subscribed(messageId, grants));
    this.catchUp(followings);
  }

  private async unsubscribe({ messageId = 0, unsubscriptions }: IUnsubscribePacket): Promise<void> {
    if (!(await this.allowRead())) return;
    const existed = this.subscriptions.removeAll(unsubscriptions);
    await this.keepSubscriptions();
    this.send(this.dialect.unsubscribed(messageId, existed));
  }

  private allowRead(): Promise<boolean> {
    const { reads } = this.introduced.allowances.account;
    return this.allow(() => reads.spend());
  }

  private async keepSubscriptions(): Promise<void> {
    const { entry } = this;
    if (entry && this.kept) await this.parts.ledger.keep(entry, this.subscriptions.all);
  }

  /** A session resumes from where it began to follow a room, even if it never acknowledged a text there. */
  private notePlaces(followings: readonly Following[]): void {
    if (!this.kept) return;
    for (const { roomId, sent } of followings)
      if (sent >= 0n && this.subscriptions.acknowledges(roomId)) this.deliveries.pass({ roomId, through: sent });
  }

  /** Sends the past as fast as the client reads it. Nothing waits for this. */
  private catchUp(followings: readonly Following[]): void {
    for (const following of followings)
      this.parts.live.catchUp(following).then(
        (rejection) => rejection && this.end('busy'),
        (error) => this.failed(error),
      );
  }

  // Publishing --------------------------------------------------------------------------------------------------------

  private async publishAll(received: readonly Received[]): Promise<void> {
    if (!(await this.findMessageIds(received))) return this.end('busy');
    const rooms: Reached = new Map();
    const started: Promise<Outcome>[] = [];
    // In order, and as fast as the limits allow.
    for (const one of received) {
      if (!(await this.allowPost())) break;
      const work = await this.prepare(one, rooms);
      started.push(this.patiently(work));
    }
    const outcomes = await Promise.all(started);
    for (const [i, { packet }] of received.entries()) {
      const { qos, messageId = 0 } = packet;
      const { [i]: outcome = 'undone' } = outcomes;
      // The client sends it again when it reconnects.
      if (outcome === 'undone') return this.end('busy');
      if (qos === 0) continue;
      // A refused publication has no second half at QoS 2 (MQTT 5, 4.3.3).
      if (qos === 1 || (outcome && this.introduced.terms.version === 5)) this.inWork.delete(messageId);
      this.send(this.dialect.received(qos, messageId, outcome));
    }
  }

  /**
   * Gives texts at QoS 1 and 2 ids that they keep when they are sent again. Returns false if they must not be posted: the client
   * sends them on a newer connection, or has disconnected before the ids could be recorded.
   */
  private async findMessageIds(received: readonly Received[]): Promise<boolean> {
    const { entry } = this;
    if (!entry) return true;
    const texts = received.filter(({ packet }) => packet.qos > 0 && readTopic(packet.topic)?.what === 'text');
    if (texts.length === 0) return true;
    let complete = false;
    await this.patiently(async () => {
      const contents = texts.map(({ packet }) => ({
        packetId: packet.messageId ?? 0,
        content: `${packet.topic}\n${packet.payload.toString('latin1')}`,
      }));
      const ids = await this.parts.publications.messageIds(entry, contents);
      for (const one of texts) one.messageId = ids.get(one.packet.messageId ?? 0);
      complete = texts.every(({ messageId }) => messageId !== undefined);
      return null;
    });
    return complete;
  }

  /** Turns a publication into work, or into a refusal. */
  private async prepare({ packet, messageId = newId() }: Received, rooms: Reached): Promise<Work> {
    const { publisher } = this;
    const { publishing, moved, heard } = this.parts;
    const topic = readTopic(packet.topic);
    if (topic && 'name' in topic && normalize(topic.name) === this.admitted.shownName)
      await moved(this, topic.what === 'hello');
    if (!topic) return refusing(reject('NotFound', 'Nothing can be published to this topic.'));
    if ('name' in topic) return async () => null;
    if (!this.admitted.may('post')) return refusing(reject('NotAllowed', 'The token does not allow posting.'));
    const { what, room } = topic;
    if (what === 'room') return () => publishing.open(publisher, room);
    const text = textIn(packet.payload);
    if (text === null) return refusing(reject('Invalid', 'The payload is not JSON with a text.'));
    heard(this);
    const reached = rooms.get(room) ?? (await this.reach(room));
    rooms.set(room, reached);
    if (isRejection(reached)) return refusing(reached);
    return async () => {
      this.rememberOwn(messageId);
      const refusal = await publishing.post(publisher, reached.roomId, messageId, text);
      if (refusal) this.own.delete(messageId);
      return refusal;
    };
  }

  private async reach(room: string): Promise<{ readonly roomId: string } | Rejection> {
    let reached: { readonly roomId: string } | Rejection = unreached;
    await this.patiently(async () => {
      reached = await this.parts.publishing.reach(this.publisher, room);
      return isRejection(reached) ? reached : null;
    });
    return reached;
  }

  private allowPost(): Promise<boolean> {
    const { posts, account } = this.introduced.allowances;
    return this.allow(() => posts.wait() || account.posts.wait() || posts.spend() || account.posts.spend());
  }

  /**
   * Waits for a limit. `spend` returns 0 when it has spent, and otherwise the milliseconds to wait. Returns false if the client
   * disconnected meanwhile.
   */
  private async allow(spend: () => number): Promise<boolean> {
    for (let tries = 0; this.leaving !== 'expelled'; tries++) {
      const wait = spend();
      if (wait === 0) return true;
      const { triesForGone, longestWait, longestPause } = clientLimits;
      if (!this.open && (tries >= triesForGone || wait > longestWait)) return false;
      await sleep(Math.min(wait, longestPause), undefined, { ref: false });
    }
    return false;
  }

  private get publisher(): Publisher {
    const { writes } = this.introduced.allowances.account;
    const { guest, may } = this.admitted;
    // A new name makes a new guest, so rooms of guests are limited by address too.
    const spendCreation = () =>
      writes.spend() === 0 && (!guest || this.parts.creation.spend(this.wire.address) === null);
    return { actor: this.actor, mayManage: may('manage'), spendCreation };
  }

  /** Repeats the work until it is done or finally refused. Limits and outages make the client wait. */
  private async patiently(work: Work): Promise<Outcome> {
    for (let tries = 0; ; tries++) {
      if (this.leaving === 'expelled') return 'undone';
      const rejection = await work().catch((error: unknown) => this.refusalOf(error));
      if (!rejection || !mayPass(rejection)) return rejection;
      if (!this.open && tries >= clientLimits.triesForGone) return 'undone';
      const { pauses } = clientLimits;
      await sleep(rejection.retryAfterMs ?? pauses[Math.min(tries, pauses.length - 1)], undefined, { ref: false });
    }
  }

  /** Throws bugs. */
  private refusalOf(error: unknown): Rejection {
    const { code } = this.parts.problems.refusal(error, { door: 'chatt', user: this.actor.id });
    if (code === 'internal') throw error;
    return { rejected: 'Unavailable', detail: 'The service did not answer.' };
  }

  // Sending -----------------------------------------------------------------------------------------------------------

  get open(): boolean {
    return this.wire.open && this.leaving === null;
  }

  get congested(): boolean {
    return this.open && (this.wire.holdsBack(clientLimits.lowWaterBytes) || this.behind >= maxUnacknowledged);
  }

  private get behind(): number {
    return this.deliveries.waiting + this.held.length;
  }

  private get tooSlow(): boolean {
    return this.wire.holdsBack(clientLimits.waitingBytes) || this.behind >= clientLimits.behind;
  }

  async drained(): Promise<void> {
    await this.wire.drained();
    if (this.open && this.behind >= maxUnacknowledged)
      await new Promise<void>((resolve) => this.drainedListeners.push(resolve));
  }

  write(_bytes: Buffer, piece?: EncodedEvents): void {
    if (!(piece instanceof Piece) || !this.open) return;
    const { publication } = piece;
    if (this.tooSlow) this.end('tooSlow');
    else if (this.mustWait || publication instanceof Promise) this.hold({ publication, piece });
    else this.deliverNow(publication, piece);
  }

  /** Sends a publication that is not part of a room's log, if the client subscribes to it. */
  deliver(publication: Publication): void {
    if (!this.open || this.subscriptions.qosOf(publication.topic) === null) return;
    if (this.tooSlow) this.end('tooSlow');
    else if (this.mustWait) this.hold({ publication, piece: null });
    else this.deliverNow(publication, null);
  }

  private deliverNow(publication: Publication | null, piece: Piece | null): void {
    const qos = publication && this.qosOf(publication, piece);
    if (publication && qos !== null) this.publish(publication.in(this.introduced.terms.version), qos, piece);
    else if (piece && this.kept && this.subscriptions.acknowledges(piece.roomId)) this.deliveries.pass(piece);
  }

  private qosOf({ topic }: Publication, piece: Piece | null): 0 | 1 | null {
    const isOwn = this.own.size > 0 && piece?.messageId && this.own.delete(piece.messageId);
    return isOwn ? this.subscriptions.qosOfOwn(topic) : this.subscriptions.qosOf(topic);
  }

  /** A packet longer than the client accepts counts as sent (MQTT 5, 3.1.2.11.4). */
  private publish(forms: Forms, qos: 0 | 1, piece: Piece | null): void {
    if (forms.packet.length + 2 > this.introduced.terms.maximumPacket) {
      if (piece && qos === 1) this.deliveries.pass(piece);
      return;
    }
    this.wire.publish(forms, qos === 0 ? null : this.deliveries.send(piece));
  }

  private get mustWait(): boolean {
    return this.held.length > 0 || this.deliveries.waiting >= this.introduced.terms.receiveMaximum;
  }

  private hold(outgoing: Outgoing): void {
    this.held.push(outgoing);
    if (this.held.length === 1) this.sendHeld().catch((error) => this.failed(error));
  }

  private async sendHeld(): Promise<void> {
    for (let next = this.held[0]; next && this.open; next = this.held[0]) {
      const publication = await next.publication;
      await this.roomToSend();
      this.held.shift();
      if (this.open) this.deliverNow(publication, next.piece);
    }
    this.noticeDrained();
  }

  /** Resolves when the client accepts another text at QoS 1, or has disconnected. */
  private async roomToSend(): Promise<void> {
    while (this.open && this.deliveries.waiting >= this.introduced.terms.receiveMaximum)
      await new Promise<void>((resolve) => {
        this.acknowledgedOne = resolve;
      });
    this.acknowledgedOne = null;
  }

  /** Remembers a text of a client that does not want its own texts back (No Local). */
  private rememberOwn(messageId: string): void {
    if (!this.subscriptions.toOthers) return;
    this.own.add(messageId);
    if (this.own.size <= clientLimits.own) return;
    const [oldest = ''] = this.own;
    this.own.delete(oldest);
  }

  private noticeDrained(): void {
    if (this.behind >= maxUnacknowledged && this.open) return;
    const listeners = this.drainedListeners;
    this.drainedListeners = [];
    for (const listener of listeners) listener();
  }

  private send(packet: Buffer): void {
    if (packet.length > this.introduced.terms.maximumPacket) this.wire.end();
    else if (this.wire.holdsBack(clientLimits.waitingBytes)) this.end('tooSlow');
    else this.wire.send(packet);
  }

  private get dialect(): Dialect {
    return this.introduced.dialect;
  }

  // Rooms -------------------------------------------------------------------------------------------------------------

  /** A room is new or has become open to this client. It is followed from `after` if a subscription matches. */
  consider(roomId: string, after: bigint, mayEnter: boolean): void {
    if (!this.open || this.subscriptions.all.length === 0) return;
    this.inbox.do(async () => {
      const following = await this.subscriptions.consider(roomId, after, mayEnter);
      if (!following) return;
      this.notePlaces([following]);
      const topic = this.parts.topics.of(roomId);
      if (topic !== null) this.deliver(new Publication(newRoomTopic(topic), nothing));
      this.catchUp([following]);
    });
  }

  /** The person has left a room or was removed from it. */
  forget(roomId: string): void {
    this.subscriptions.forget(roomId);
    this.deliveries.forget(roomId);
  }

  // Ending ------------------------------------------------------------------------------------------------------------

  close(reason: EndReason): void {
    // What an expelled person sent before is not done any more.
    if (reason !== 'drain') {
      this.leaving = 'expelled';
      this.inbox.discard();
    }
    this.end(endingFor[reason]);
  }

  /** Ignores all packets from now on. */
  ignore(): void {
    this.deaf = true;
  }

  /** Whether one and a half times the keep-alive interval has passed without a packet (MQTT 3.1.1, 3.1.2.10). */
  isSilent(now: number): boolean {
    const { keepalive = 0 } = this.introduced.connect;
    if (this.pausedFor.size > 0) this.lastHeard = now;
    return keepalive > 0 && now - this.lastHeard > keepalive * 1_500;
  }

  /** Ends the connection, with the reason if the protocol has one. */
  end(why: Ending): void {
    const farewell = this.welcomed && this.wire.open ? this.dialect.ended(why) : null;
    if (farewell) this.wire.send(farewell);
    this.wire.end();
  }

  /** What its session has acknowledged since the last call; null if nothing. */
  takeMove(): Move | null {
    const { entry } = this;
    const places = entry && this.kept ? this.deliveries.takeMoved() : null;
    return entry && places && places.size > 0 ? { entry, places } : null;
  }

  private async save(): Promise<void> {
    const move = this.takeMove();
    if (move) await this.parts.ledger.move([move]);
  }

  /** Finishes pending publications after the connection has ended. Returns the same promise each time. */
  finish(): Promise<void> {
    this.released ??= this.release();
    return this.released;
  }

  private async release(): Promise<void> {
    this.noticeDrained();
    this.acknowledgedOne?.();
    this.inbox.discardTasks();
    const lost = this.leaving === null || (this.leaving === 'clean' && this.willAnyway);
    if (lost && this.will && isTopic(this.will.topic) && !this.deaf) this.put({ ...this.will, qos: 0 });
    await this.inbox.idle();
    this.subscriptions.close();
    const { entry } = this;
    if (entry) {
      await this.save();
      await this.parts.publications.end(entry, this.leaving === 'clean');
      await this.parts.ledger.end(entry, this.leaving === 'clean', this.keepSeconds);
    }
    await this.admitted.leave();
  }

  private failed(error: unknown): void {
    if (!(error instanceof NotNow)) this.parts.problems.refusal(error, { door: 'chatt', user: this.actor.id });
    this.end('busy');
  }

  // Limits ------------------------------------------------------------------------------------------------------------

  /** A client that sends too many packets has to wait, and is disconnected if it persists. */
  /** A frame of a WebSocket that holds no packet. */
  countFrame(): void {
    if (this.open) this.countPacket(performance.now());
  }

  private countPacket(now: number): void {
    const { frames, patience } = this.introduced.allowances;
    const wait = frames.spend(now);
    if (wait === 0) return;
    if (patience.spend() > 0) this.end('tooFast');
    if (this.pausedFor.has('limit')) return;
    this.pause('limit', true);
    setTimeout(() => this.pause('limit', false), wait).unref();
  }

  private pause(why: 'inbox' | 'limit', paused: boolean): void {
    if (paused) this.pausedFor.add(why);
    else this.pausedFor.delete(why);
    this.wire.setReading(this.pausedFor.size === 0);
  }
}

/** Whether the number of filters in one packet is allowed: at least one (MQTT 3.1.1, 3.8.3 and 3.10.3). */
const mayBeAsked = ({ length }: readonly unknown[]): boolean => length > 0 && length <= subscriptionLimits.filters;

const nothing = Buffer.alloc(0);
const pingResponse = Buffer.of(0xd0, 0);
const refusing =
  (refusal: Rejection): Work =>
  async () =>
    refusal;
const endingFor: { readonly [R in EndReason]: Ending } = {
  drain: 'busy',
  revoked: 'expelled',
  unauthenticated: 'notAuthorized',
};
const unreached: Rejection = { rejected: 'Unavailable', detail: 'The room could not be reached.' };

/** Whether another attempt may succeed soon. */
const mayPass = ({ rejected, retryAfterMs = 0 }: Rejection): boolean =>
  rejected === 'Unavailable' ||
  rejected === 'Maintenance' ||
  (rejected === 'TooSoon' && retryAfterMs <= clientLimits.longestWait);
