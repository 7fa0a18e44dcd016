import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection, type Rejection } from '@verbatim/domain';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { CheckGuestNameQuery } from '../../application/guests/guest-names.js';
import { GetPublicTimelineQuery, GetTimelineQuery } from '../../application/messages/message-queries.js';
import { ProveRoomPasswordCommand } from '../../application/rooms/proving-room-passwords.js';
import { AuthenticateQuery } from '../../application/sessions/authentication.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import type { Host } from '../../host/host.js';
import type { Limits } from '../../limits/limits.js';
import type { Reads } from '../../limits/reads.js';
import { bearerIn } from '../bearer.js';
import { ChatError } from './answers.js';
import { objectIn, roomIn, textIn } from './bodies.js';
import { type ChatRoom, type ChatRooms, type ListedRoom } from './chat-rooms.js';
import { DEFAULT_COLOR } from './colors.js';
import { DOOR, newContext } from './context.js';
import type { CreationLimit } from './creation-limit.js';
import { frameOf } from './frames.js';
import type { People } from './people.js';
import { type Holder, type RoomTokens, TOKEN_SECONDS } from './room-tokens.js';
import type { Seats } from './seats.js';
import type { Visitors } from './visitors.js';

/** Messages of a history. */
const MOST_EVENTS = 50;

/** What routes are made from. */
export interface RouteParts {
  readonly commands: CommandBus;
  readonly queries: QueryBus;
  readonly rooms: ChatRooms;
  readonly people: People;
  readonly seats: Seats;
  readonly tokens: RoomTokens;
  readonly visitors: Visitors;
  readonly creation: CreationLimit;
  readonly limits: Limits;
  readonly reads: Reads;
  readonly host: Host;
}

type InRoom = FastifyRequest<{ Params: { room: string } }>;

/** The calls of chitchat and of its fork Globes that answer JSON. */
export function addRoutes(scope: FastifyInstance, parts: RouteParts): void {
  const { rooms, people, tokens, visitors, creation, host, commands, queries, reads } = parts;
  const addressOf = (request: FastifyRequest) => host.proxies.addressOf(request.raw);
  const roomOf = ({ params }: InRoom) => rooms.find(params.room);
  const read = async <T extends object>(request: FastifyRequest, reply: FastifyReply, work: () => Promise<T>) => {
    const found = await reads.answer(reads.visitor(addressOf(request)), reply.raw, work);
    if (isRejection(found)) throw ChatError.ofRejection(found, 'room');
    return found;
  };

  /** The holder of a good token for this room. */
  const holderIn = (request: FastifyRequest, room: ChatRoom) =>
    tokens.holderOf(bearerIn(request.headers.authorization), room);

  /** Whoever changes a room that is not public has to hold a token for it. */
  const mayChange = async (request: FastifyRequest, room: ChatRoom) => {
    if (room.visibility !== 'public' && !(await holderIn(request, room))) throw ChatError.of(403, 'token');
  };

  const show = async (room: ChatRoom) => ({ ...roomResource(room), users: await usersIn(room) });
  const usersIn = async ({ roomId }: ListedRoom) =>
    (await people.in(roomId)).map(({ name, color, activeAt, verified }) => ({
      username: name,
      color,
      last_activity: activeAt.toISOString(),
      verified,
    }));

  // Rooms -------------------------------------------------------------------------------------------------------------

  scope.post('/chats', async (request, reply) => {
    const body = objectIn(request.body, 103);
    const password = textIn(body, 'password', 105);
    const wanted = roomIn(body, password);
    const tooSoon = creation.spend(addressOf(request));
    if (tooSoon) throw ChatError.ofRejection(tooSoon, 'room');
    const room = await rooms.create(wanted, password);
    reply.status(201);
    return { ...roomResource(room), users: [], status: true };
  });

  /** Of a hidden room, whoever has no token gets what the page cannot do without, and the title that they know already. */
  scope.get('/chats/:room', async (request: InRoom, reply) =>
    read(request, reply, async () => {
      const room = await roomOf(request);
      if (room.visibility !== 'hidden' || (await holderIn(request, room)))
        return { ...(await show(room)), status: true };
      const title = request.params.room === `${room.number}` ? {} : { title: request.params.room };
      return { ...title, id: room.number, users: await usersIn(room), status: true };
    }),
  );

  scope.put('/chats/:room', async (request: InRoom) => {
    const room = await roomOf(request);
    await mayChange(request, room);
    // The password stays, whatever the body says.
    const changed = await rooms.change(room, roomIn(objectIn(request.body, 103), passwordOf(room)));
    return { ...(await show(changed)), status: true };
  });

  scope.delete('/chats/:room', async (request: InRoom) => {
    const room = await roomOf(request);
    await mayChange(request, room);
    await rooms.remove(room);
    return { status: true };
  });

  scope.get('/chats/all', async (request, reply) => {
    reply.status(201);
    return read(request, reply, async () => ({
      status: true,
      error: {},
      data: (await rooms.list()).map(roomResource),
    }));
  });

  // Tokens ------------------------------------------------------------------------------------------------------------

  const grant = async (reply: FastifyReply, room: ChatRoom, state: ChatRoom['state'], holder: Holder) => {
    const until = new Date(Date.now() + TOKEN_SECONDS * 1_000);
    await parts.seats.stay(
      { roomId: room.roomId, userId: holder.userId, name: holder.name, color: DEFAULT_COLOR },
      until,
    );
    reply.status(201);
    return { status: true, name: holder.name, room_id: room.number, token: await tokens.issue(room, state, holder) };
  };

  scope.post('/chats/:room/token', async (request: InRoom, reply) => {
    const room = await roomOf(request);
    const body = objectIn(request.body, 303);
    const [secret, name] = [textIn(body, 'secret', 303), textIn(body, 'name', 303)];
    const person = await tokens.personOf(bearerIn(request.headers.authorization));
    if (room.visibility === 'public') {
      const taken = name === '' || person ? null : await queries.execute(new CheckGuestNameQuery(name, DOOR));
      // A name that can be nobody's is refused when somebody comes with it.
      if (taken && taken.rejected !== 'Invalid') throw ChatError.ofRejection(taken, 'client', 'name');
      return { status: true };
    }
    const proven = await commands.execute(new ProveRoomPasswordCommand(room.roomId, secret, addressOf(request)));
    if (isRejection(proven)) throw ChatError.ofRejection(proven, 'client', 'secret');
    if (name === '') throw ChatError.of(303, 'name');
    const visitor = person ? await visitors.known(person) : await visitors.admit(name, addressOf(request));
    if (isRejection(visitor)) throw ChatError.ofRejection(visitor, 'client', 'name');
    const joined = await visitors.join(room.roomId, visitor, proven.passwordId);
    if (isRejection(joined)) throw ChatError.ofRejection(joined, 'client', 'name');
    return grant(reply, room, joined.state, visitor);
  });

  scope.get('/chats/:room/token/renew', async (request: InRoom, reply) => {
    const room = await roomOf(request);
    if (room.visibility === 'public') return { status: true };
    const holder = await holderIn(request, room);
    if (!holder) throw ChatError.of(403, 'token');
    return grant(reply, room, room.state, holder);
  });

  scope.get('/chats/:room/ws', async (request: InRoom) => {
    await roomOf(request);
    throw ChatError.of(301);
  });

  // The fork ----------------------------------------------------------------------------------------------------------

  scope.get('/chats/events/:room', async (request: InRoom, reply) => {
    const data = await read(request, reply, () => historyOf(request));
    reply.status(201);
    return { status: true, error: {}, data };
  });

  const historyOf = async (request: InRoom): Promise<object[]> => {
    const room = await roomOf(request);
    const holder = room.visibility === 'public' ? null : await holderIn(request, room);
    if (room.visibility !== 'public' && !holder) throw ChatError.of(403, 'token');
    const page = { limit: MOST_EVENTS };
    const found = await queries.execute(
      holder
        ? new GetTimelineQuery(room.roomId, (await visitors.known(holder)).actor, purpose(), 'newest', undefined, page)
        : new GetPublicTimelineQuery(room.roomId, page),
    );
    if (isRejection(found)) throw ChatError.ofRejection(found, 'room');
    const messages = found.items.filter(({ text }) => text !== null).reverse();
    const looks = await people.look(
      room.roomId,
      messages.map(({ author }) => author.id),
    );
    return messages.flatMap(({ author, text, postedAt }) => {
      const look = looks.get(author.id);
      return look ? [frameOf('send', look, text ?? '', room.number, postedAt)] : [];
    });
  };

  scope.post('/auth', async (request, reply) => {
    const body = objectIn(request.body, 303);
    const [username, password] = [textIn(body, 'username', 303), textIn(body, 'password', 303)];
    const signedIn = await commands.execute(
      new SignInCommand({ username, password }, host.proxies.clientOf(request.raw), newContext()),
    );
    if (isRejection(signedIn)) throw wrongPassword(signedIn);
    const identity = await queries.execute(new AuthenticateQuery({ bearer: signedIn.accessToken }));
    if (!identity || identity.lacksSecondFactor) throw ChatError.of(304, 'password');
    const { username: name } = signedIn.state;
    const holder = { userId: signedIn.userId, name, sessionId: identity.sessionId };
    reply.status(201);
    return { status: true, name, color: DEFAULT_COLOR, token: await tokens.issueTo(holder, DEFAULT_COLOR) };
  });
}

const purpose = () => ({ context: newContext() });

const wrongPassword = (rejection: Rejection): ChatError => ChatError.ofRejection(rejection, 'client', 'password');

/** Any password will do where only is asked whether there is one. */
const passwordOf = ({ state }: ChatRoom): string => (state.passwordId === null ? '' : '*'.repeat(8));

/** A room without the people in it; times are RFC 3339. */
export function roomResource({ number, title, description, visibility, createdAt, updatedAt }: ListedRoom) {
  return {
    title,
    ...(description !== '' && { description }),
    visibility,
    createdAt,
    updatedAt: updatedAt.toISOString(),
    id: number,
  };
}
