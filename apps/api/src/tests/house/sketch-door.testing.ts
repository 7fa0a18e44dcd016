import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { CommandBus, QueryBus } from '@nestjs/cqrs';
import { isRejection, type Rejection } from '@verbatim/domain';
import { z } from 'zod';
import { ApplyToRoomCommand } from '../../application/rooms/room-commands.js';
import { AuthenticateQuery } from '../../application/sessions/authentication.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import { type Application, door } from '../../host/part.js';
import { Limits } from '../../limits/limits.js';
import { LiveRooms } from '../../live/live-rooms.js';
import type { Encoder, Subscriber } from '../../live/subscriber.js';
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
  const [commands, live] = [application.get(CommandBus), application.get(LiveRooms)];
  const [subscribers, limits] = [application.get(Subscribers), application.get(Limits)];
  const context = () => ({ correlation: newId() });
  let me: Subscriber | null = null;

  async function obey(verb = '', first = '', rest = ''): Promise<Rejection | string | null> {
    if (verb === 'in') return signIn(first, rest);
    if (!me) return '! Sign in first.';
    if (verb === 'follow') {
      const following = await live.follow(me, first, undefined, { context: context() }, () =>
        socket.write('following\n'),
      );
      return following === null || isRejection(following) ? following : live.catchUp(following);
    }
    const post = {
      type: 'PostMessage',
      actor: me.actor,
      messageId: newId(),
      text: rest,
      replyTo: null,
      kind: 'text',
    } as const;
    const said = await commands.execute(new ApplyToRoomCommand(first, post, context()));
    return isRejection(said) ? said : 'said';
  }

  async function signIn(username: string, password: string): Promise<Rejection | string> {
    const client = { address, device: { address, userAgent: 'sketch' } };
    const signedIn = await commands.execute(new SignInCommand({ username, password }, client, context()));
    if (isRejection(signedIn)) return signedIn;
    const bearer = signedIn.accessToken;
    const identity = await application.get(QueryBus).execute(new AuthenticateQuery({ bearer }));
    if (!identity || identity.lacksSecondFactor) return '! Not here.';
    const { actor, sessionId } = identity;
    me = {
      ...{ actor, sessionId, username, encoder: lines },
      get open() {
        return socket.writable;
      },
      get congested() {
        return socket.writableNeedDrain;
      },
      write: (bytes) => void socket.write(bytes),
      drained: async () => void (await Promise.race([once(socket, 'drain'), once(socket, 'close')])),
      close: (reason) => void socket.end(`! ${reason}\n`),
    };
    const subscriber = me;
    subscribers.add(subscriber);
    socket.once('close', () => subscribers.remove(subscriber));
    return `hello ${username}`;
  }

  let turn = limits.visit(address) ? Promise.resolve(void socket.end('! Too many.\n')) : Promise.resolve();
  createInterface(socket).on('line', (line) => {
    const [, verb, first, rest] = /^(\S+) ?(\S*) ?(.*)$/.exec(line) ?? [];
    turn = turn.then(async () => {
      const answer = await obey(verb, first, rest).catch(() => '! Something went wrong.');
      if (answer !== null) socket.write(`${typeof answer === 'string' ? answer : `! ${answer.detail}`}\n`);
    });
  });
}
