import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection, type RoomState } from '@verbatim/domain';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GetPublicTimelineQuery, GetTimelineQuery } from '../../application/messages/message-queries.js';
import { ProveRoomPasswordCommand } from '../../application/rooms/proving-room-passwords.js';
import { AuthenticateQuery } from '../../application/sessions/authentication.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import type { Host } from '../../host/host.js';
import type { CreationLimit } from '../../limits/creation-limit.js';
import type { Reads } from '../../limits/reads.js';
import { bearerIn } from '../bearer.js';
import { ChatError } from './answers.js';
import { objectIn, roomIn, textIn } from './bodies.js';
import { type ChatRoom, type ChatRooms, isSecret, type ListedRoom } from './chat-rooms.js';
import { DEFAULT_COLOR } from './colors.js';
import { newContext } from './context.js';
import { frameOf } from './frames.js';
import type { People } from './people.js';
import { type Holder, type RoomTokens, TOKEN_SECONDS } from './room-tokens.js';
import type { Seats } from './seats.js';
import type { Visitor, Visitors } from './visitors.js';

/** Messages of a history. */
const MOST_EVENTS = 50;

/** The dependencies of calls. */
export interface CallParts {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly rooms: ChatRooms;
  readonly people: People;
  readonly seats: Seats;
  readonly tokens: RoomTokens;
  readonly visitors: Visitors;
  readonly creation: CreationLimit;
  readonly reads: Reads;
  readonly host: Host;
}

/** A request about a room, which is named by its number or its title. */
export type InRoom = FastifyRequest<{ Params: { room: string } }>;

/** Answers calls as chitchat and its fork Globes do; throws `ChatError`. */
export class ChatCalls {
  constructor(private readonly parts: CallParts) {}

  // Rooms -------------------------------------------------------------------------------------------------------------

  async create(request: FastifyRequest): Promise<object> {
    const body = objectIn(request.body, 103);
    const password = textIn(body, 'password', 105);
    const wanted = roomIn(body, password);
    const tooSoon = this.parts.creation.spend(this.addressOf(request));
    if (tooSoon) throw ChatError.ofRejection(tooSoon, 'room');
    const room = roomResource(await this.parts.rooms.create(wanted, password));
    // The page of Globes looks for the room in `data`, all other clients for its fields.
    return { ...room, users: [], status: true, data: room };
  }

  /** Without a token, a secret room has only what the page requires, and the title, which the client already knows. */
  show(request: InRoom, reply: FastifyReply): Promise<object> {
    return this.read(request, reply, async () => {
      const room = await this.roomOf(request);
      if (!isSecret(room) || (await this.holderIn(request, room))) return this.whole(room);
      const { room: asked } = request.params;
      const title = asked === `${room.number}` ? {} : { title: asked };
      const users = room.createdHere ? await this.usersIn(room) : [];
      return { ...title, id: room.number, users, status: true };
    });
  }

  async change(request: InRoom): Promise<object> {
    const room = await this.roomOf(request);
    await this.demandToken(request, room);
    // The password does not change, whatever the body says.
    return this.whole(await this.parts.rooms.change(room, roomIn(objectIn(request.body, 103), passwordOf(room))));
  }

  async remove(request: InRoom): Promise<object> {
    const room = await this.roomOf(request);
    await this.demandToken(request, room);
    await this.parts.rooms.remove(room);
    return { status: true };
  }

  list(request: FastifyRequest, reply: FastifyReply): Promise<object> {
    const { rooms } = this.parts;
    return this.read(request, reply, async () => ({
      status: true,
      error: {},
      data: (await rooms.list()).map(roomResource),
    }));
  }

  private async whole(room: ChatRoom): Promise<object> {
    return { ...roomResource(room), users: await this.usersIn(room), status: true };
  }

  private async usersIn({ roomId }: ListedRoom): Promise<object[]> {
    return (await this.parts.people.in(roomId)).map(({ name, color, activeAt, verified }) => ({
      username: name,
      color,
      last_activity: activeAt.toISOString(),
      verified,
    }));
  }

  // Tokens ------------------------------------------------------------------------------------------------------------

  async giveToken(request: InRoom, reply: FastifyReply): Promise<object> {
    const { commands, tokens, visitors } = this.parts;
    const room = await this.roomOf(request);
    const body = objectIn(request.body, 303);
    const [secret, name] = [textIn(body, 'secret', 303), textIn(body, 'name', 303)];
    // Names are checked when a person joins, because the old page can show an error about them only there.
    if (room.visibility === 'public') return { status: true };
    const address = this.addressOf(request);
    const proven = await commands.execute(new ProveRoomPasswordCommand(room.roomId, secret, address));
    if (isRejection(proven)) throw ChatError.ofRejection(proven, 'client', 'secret');
    if (name === '') throw ChatError.of(303, 'name');
    const person = await tokens.personOf(bearerIn(request.headers.authorization));
    const visitor = person ? await visitors.known(person) : await visitors.admit(name, address);
    if (isRejection(visitor)) throw ChatError.ofRejection(visitor, 'client', 'name');
    return this.grant(reply, room, await this.join(room, visitor, proven.passwordId), visitor);
  }

  async renewToken(request: InRoom, reply: FastifyReply): Promise<object> {
    const room = await this.roomOf(request);
    if (room.visibility === 'public') return { status: true };
    return this.grant(reply, room, room.state, await this.demandHolder(request, room));
  }

  private async join({ roomId }: ChatRoom, visitor: Visitor, passwordId: string): Promise<RoomState> {
    const joined = await this.parts.visitors.join(roomId, visitor, passwordId);
    if (isRejection(joined)) throw ChatError.ofRejection(joined, 'client', 'name');
    return joined.state;
  }

  private async grant(reply: FastifyReply, room: ChatRoom, state: RoomState, holder: Holder): Promise<object> {
    const { seats, tokens } = this.parts;
    const { userId, name } = holder;
    const until = new Date(Date.now() + TOKEN_SECONDS * 1_000);
    await seats.stay({ roomId: room.roomId, userId, name, color: DEFAULT_COLOR }, until);
    reply.status(201);
    return { status: true, name, room_id: room.number, token: await tokens.issue(room, state, holder) };
  }

  /** A request to the path of a socket without an upgrade. */
  async refuseSocket(request: InRoom): Promise<never> {
    await this.roomOf(request);
    throw ChatError.of(301);
  }

  // The fork ----------------------------------------------------------------------------------------------------------

  history(request: InRoom, reply: FastifyReply): Promise<object> {
    return this.read(request, reply, async () => {
      const room = await this.roomOf(request);
      const holder = room.visibility === 'public' ? null : await this.demandHolder(request, room);
      return { status: true, error: {}, data: await this.messagesOf(room, holder) };
    });
  }

  /** The newest messages, as frames, oldest first. */
  private async messagesOf({ roomId, number }: ChatRoom, holder: Holder | null): Promise<object[]> {
    const { people, queries, visitors } = this.parts;
    const page = { limit: MOST_EVENTS };
    const actor = holder && (await visitors.known(holder)).actor;
    const found = await queries.execute(
      actor
        ? new GetTimelineQuery(roomId, actor, { context: newContext() }, 'newest', undefined, page)
        : new GetPublicTimelineQuery(roomId, page),
    );
    if (isRejection(found)) throw ChatError.ofRejection(found, 'room');
    const messages = found.items.filter(({ text }) => text !== null).reverse();
    const looks = await people.look(
      roomId,
      messages.map(({ author }) => author.id),
    );
    return messages.flatMap(({ author, text, postedAt }) => {
      const look = looks.get(author.id);
      return look ? [frameOf('send', look, text ?? '', number, postedAt)] : [];
    });
  }

  async signIn(request: FastifyRequest): Promise<object> {
    const { commands, queries, tokens, host } = this.parts;
    const body = objectIn(request.body, 303);
    const shown = { username: textIn(body, 'username', 303), password: textIn(body, 'password', 303) };
    const signedIn = await commands.execute(new SignInCommand(shown, host.proxies.clientOf(request.raw), newContext()));
    if (isRejection(signedIn)) throw ChatError.ofRejection(signedIn, 'client', 'password');
    const identity = await queries.execute(new AuthenticateQuery({ bearer: signedIn.accessToken }));
    if (!identity || identity.lacksSecondFactor) throw ChatError.of(304, 'password');
    const holder = { userId: signedIn.userId, name: signedIn.state.username, sessionId: identity.sessionId };
    const token = await tokens.issueTo(holder, DEFAULT_COLOR);
    return { status: true, name: holder.name, color: DEFAULT_COLOR, token };
  }

  // Requests ----------------------------------------------------------------------------------------------------------

  private roomOf({ params }: InRoom): Promise<ChatRoom> {
    return this.parts.rooms.find(params.room);
  }

  private addressOf({ raw }: FastifyRequest): string {
    return this.parts.host.proxies.addressOf(raw);
  }

  /** Changing a room that is not public requires a token for it. */
  private async demandToken(request: FastifyRequest, room: ChatRoom): Promise<void> {
    if (room.visibility !== 'public') await this.demandHolder(request, room);
  }

  private async demandHolder(request: FastifyRequest, room: ChatRoom): Promise<Holder> {
    const holder = await this.holderIn(request, room);
    if (!holder) throw ChatError.of(403, 'token');
    return holder;
  }

  private holderIn({ headers }: FastifyRequest, room: ChatRoom): Promise<Holder | null> {
    return this.parts.tokens.holderOf(bearerIn(headers.authorization), room);
  }

  /** Runs a read when it is the client's turn. */
  private async read(request: FastifyRequest, reply: FastifyReply, work: () => Promise<object>): Promise<object> {
    const { reads } = this.parts;
    const found = await reads.answer(reads.visitor(this.addressOf(request)), reply.raw, work);
    if (isRejection(found)) throw ChatError.ofRejection(found, 'room');
    return found;
  }
}

/** Stands for any password where only its presence matters. */
const passwordOf = ({ state }: ChatRoom): string => (state.passwordId === null ? '' : '*'.repeat(8));

/** A room without the people in it; times are RFC 3339. */
function roomResource({ number, title, description, visibility, createdAt, updatedAt }: ListedRoom) {
  return {
    title,
    ...(description !== '' && { description }),
    visibility,
    createdAt,
    updatedAt: updatedAt.toISOString(),
    id: number,
  };
}
