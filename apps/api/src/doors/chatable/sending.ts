import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandBus } from '@nestjs/cqrs';
import { isRejection, nameKey, type PostMessage, type Rejection } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { CreateDirectRoomCommand } from '../../application/rooms/direct-rooms.js';
import { ApplyToRoomCommand } from '../../application/rooms/room-commands.js';
import { limitedFor } from '../../limits/limited.js';
import { newId } from '../../new-id.js';
import { asRequest, type Tracing } from '../../telemetry/tracing.js';
import type { Context } from '../../write-side/mailbox.js';
import { accepted } from '../refusal.js';
import type { Connection } from './connection.js';
import { context } from './context.js';
import { type Envelopes, envelopeOf, nanoseconds, userError } from './envelope.js';
import { type Packet, type RefusedPacket, unknownUsername } from './packets.js';

/** Conversations whose rooms a connection remembers. */
const ROOMS_REMEMBERED = 200;
/** Milliseconds for which a message is retried while it cannot be stored or is over a limit. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 250;
/** How often a waiting connection is checked for being closed. */
const MAX_SLEEP_MS = 1_000;

/** Turns packets into messages. */
export class Sending {
  private readonly rooms = new WeakMap<Connection, LRUCache<string, string>>();

  constructor(
    private readonly commands: CommandBus,
    private readonly envelopes: Envelopes,
    private readonly tracing?: Tracing,
  ) {}

  /**
   * Posts a packet. As in the original, the client gets no answer if it is refused, unless it asked for one with `confirm`.
   * A packet over a limit waits, and those behind it wait too. If the outcome is unknown, the connection is closed, so
   * that the client does not assume that the message was sent.
   */
  async handle(connection: Connection, packet: Packet | RefusedPacket): Promise<void> {
    const own = context();
    try {
      if ('refused' in packet) throw userError(packet.refused);
      const at = await asRequest(this.tracing, own.correlation, 'chatable packet', () =>
        this.post(connection, packet, own),
      );
      if (connection.confirms) tell(connection, { id: packet.id ?? null, created_at: nanoseconds(at) });
    } catch (error) {
      const refused = this.envelopes.refused(error, {
        traceId: own.correlation,
        packet: true,
        user: connection.actor.id,
      });
      if (connection.confirms) tell(connection, { id: packet.id ?? null, ...envelopeOf(refused) });
      if (refused.status >= 500) connection.close('unavailable');
    }
  }

  /** Returns the time at which the message was recorded. */
  private async post(connection: Connection, { recipient, message: text, id }: Packet, own: Context): Promise<string> {
    await this.turn(connection);
    let messageId = id ?? newId();
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const roomId = await this.roomWith(connection, recipient, own);
      const posted = typeof roomId === 'string' ? await this.postTo(connection, roomId, messageId, text, own) : roomId;
      if (!isRejection(posted)) return posted.at;
      if (posted.rejected === 'NotFound') throw userError(unknownUsername);
      if (Date.now() > end || !connection.mayStillSend) return accepted<never>(posted);
      // They have left the conversation, and now start it again.
      if (posted.rejected === 'NotAMember') this.roomsOf(connection).delete(nameKey(recipient));
      // The id is already in use for something else, so it is ignored.
      else if (posted.rejected === 'DuplicateId' && messageId === id && !connection.confirms) messageId = newId();
      else if (mayPass(posted)) await sleep(Math.min(posted.retryAfterMs ?? PAUSE_MS, MAX_SLEEP_MS));
      else return accepted<never>(posted);
    }
  }

  /** Waits until the person may post again. Once enough packets are waiting, nothing more is read from the socket. */
  private async turn(connection: Connection): Promise<void> {
    const { posts, account } = connection.allowances;
    for (const allowance of [posts, account.posts]) {
      for (let wait = allowance.spend(); wait > 0 && connection.mayStillSend; wait = allowance.spend())
        await sleep(Math.min(wait, MAX_SLEEP_MS));
    }
  }

  private async roomWith(connection: Connection, recipient: string, own: Context): Promise<string | Rejection> {
    const rooms = this.roomsOf(connection);
    const known = rooms.get(nameKey(recipient));
    if (known) return known;
    const tooSoon = limitedFor(connection.allowances.account.writes.spend());
    if (tooSoon) return tooSoon;
    const opened = await this.commands.execute(new CreateDirectRoomCommand(connection.actor, recipient, own));
    if (isRejection(opened)) return opened;
    rooms.set(nameKey(recipient), opened.roomId);
    return opened.roomId;
  }

  private postTo({ actor }: Connection, roomId: string, messageId: string, text: string, own: Context) {
    const post: PostMessage = { type: 'PostMessage', actor, messageId, text, replyTo: null, kind: 'text' };
    return this.commands.execute(new ApplyToRoomCommand(roomId, post, own));
  }

  private roomsOf(connection: Connection): LRUCache<string, string> {
    const rooms = this.rooms.get(connection) ?? new LRUCache<string, string>({ max: ROOMS_REMEMBERED });
    this.rooms.set(connection, rooms);
    return rooms;
  }
}

/** Whether a retry may succeed later. */
const mayPass = ({ rejected }: Rejection): boolean => rejected === 'TooSoon' || rejected === 'Unavailable';

const tell = (connection: Connection, what: object): void => connection.write(Buffer.from(JSON.stringify(what)));
