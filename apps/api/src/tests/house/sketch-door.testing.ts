import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection, type Rejection } from '@verbatim/domain';
import { z } from 'zod';
import { ApplyToRoomCommand } from '../../application/rooms/room-commands.js';
import { AuthenticateQuery, Authentication } from '../../application/sessions/authentication.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import { type Application, door } from '../../host/part.js';
import { Limits } from '../../limits/limits.js';
import { LiveRooms } from '../../live/live-rooms.js';
import { SocketSubscriber } from '../../live/socket-subscriber.js';
import type { Encoder } from '../../live/subscriber.js';
import { Subscribers } from '../../live/subscribers.js';
import { newId } from '../../new-id.js';

/** A small door that only tests have: text over TCP. `in NAME PASSWORD`, `follow ROOM`, `say ROOM TEXT`; errors begin with `!`. */
export const sketchDoor = door({
  name: 'sketch',
  settings: { SKETCH_PORT: z.coerce.number().int().default(0) },
  open(application, host, { SKETCH_PORT }) {
    const sockets = new Set<Socket>();
    host.listenTcp(SKETCH_PORT, (socket) => {
      sockets.add(socket);
      serve(application, socket, host.proxies.peerOf(socket) ?? '');
      socket.once('close', () => sockets.delete(socket));
    });
    return {
      drain: () => sockets.forEach((socket) => void socket.write('! Come back soon.\n')),
      close: () => sockets.forEach((socket) => void socket.end()),
    };
  },
});

const lines: Encoder = {
  events: (roomId, events) =>
    events.map(({ event: { type, data }, actor, revision, replaced }) => {
      const text = type === 'MessagePosted' && !replaced ? `${actor?.username}: ${data.text}\n` : '';
      return { roomId, through: revision, bytes: Buffer.from(text) };
    }),
  removed: (_, reason) => Buffer.from(`! ${reason}\n`),
  ...{ presence: () => null, typing: () => null, changed: () => null, unwatched: () => null },
};

function serve(application: Application, socket: Socket, address: string): void {
  const [commands, queries] = [application.get(CommandBus), application.get(QueryBus)];
  const [live, subscribers] = [application.get(LiveRooms), application.get(Subscribers)];
  const context = () => ({ correlation: newId() });
  let me: SocketSubscriber | null = null;

  async function signIn(username: string, password: string): Promise<Rejection | string> {
    const client = { address, device: { address, userAgent: 'sketch' } };
    const signedIn = await commands.execute(new SignInCommand({ username, password }, client, context()));
    if (isRejection(signedIn)) return signedIn;
    const identity = await queries.execute(new AuthenticateQuery({ bearer: signedIn.accessToken }));
    if (!identity || identity.lacksSecondFactor || application.get(Authentication).objection(identity))
      return '! Not here.';
    const { actor, account, sessionId } = identity;
    me = new SocketSubscriber(socket, actor, account.username, sessionId, lines, (reason) => `! ${reason}\n`);
    subscribers.add(me);
    socket.once('close', () => me && subscribers.remove(me));
    return `hello ${account.username}`;
  }

  async function obey(verb = '', first = '', rest = ''): Promise<Rejection | string | null> {
    if (verb === 'in' && !me) return signIn(first, rest);
    if (!me) return '! Sign in first.';
    if (verb === 'follow') {
      const started = () => socket.write('following\n');
      const following = await live.follow(me, first, undefined, { context: context() }, started);
      return following === null || isRejection(following) ? following : live.catchUp(following);
    }
    const post = { messageId: newId(), text: rest, replyTo: null, kind: 'text' } as const;
    const said = { type: 'PostMessage', actor: me.actor, ...post } as const;
    const posted = await commands.execute(new ApplyToRoomCommand(first, said, context()));
    return isRejection(posted) ? posted : 'said';
  }

  let turn: Promise<unknown> = Promise.resolve();
  if (application.get(Limits).visit(address)) socket.end('! Too many.\n');
  createInterface(socket).on('line', (line) => {
    const [, verb, first, rest] = /^(\S+) ?(\S*) ?(.*)$/.exec(line) ?? [];
    turn = turn.then(async () => {
      const answer = await obey(verb, first, rest).catch(() => '! Something went wrong.');
      if (answer !== null) socket.write(`${typeof answer === 'string' ? answer : `! ${answer.detail}`}\n`);
    });
  });
}
