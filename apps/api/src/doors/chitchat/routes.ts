import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ChatCalls, InRoom } from './chat-calls.js';

/** The calls of chitchat and of its fork Globes that answer JSON. */
export function addRoutes(scope: FastifyInstance, calls: ChatCalls): void {
  /** Answers with 201 where chitchat does. */
  const created =
    <R extends FastifyRequest>(call: (request: R, reply: FastifyReply) => Promise<object>) =>
    async (request: R, reply: FastifyReply) => {
      const answer = await call(request, reply);
      return reply.status(201).send(answer);
    };
  scope.post(
    '/chats',
    created((request) => calls.create(request)),
  );
  scope.get('/chats/:room', (request: InRoom, reply) => calls.show(request, reply));
  scope.put('/chats/:room', (request: InRoom) => calls.change(request));
  scope.delete('/chats/:room', (request: InRoom) => calls.remove(request));
  // Public rooms have no tokens, and the response is a 200.
  scope.post('/chats/:room/token', (request: InRoom, reply) => calls.giveToken(request, reply));
  scope.get('/chats/:room/token/renew', (request: InRoom, reply) => calls.renewToken(request, reply));
  scope.get('/chats/:room/ws', (request: InRoom) => calls.refuseSocket(request));
  // The fork
  scope.get(
    '/chats/all',
    created((request, reply) => calls.list(request, reply)),
  );
  scope.get(
    '/chats/events/:room',
    created((request: InRoom, reply) => calls.history(request, reply)),
  );
  scope.post(
    '/auth',
    created((request) => calls.signIn(request)),
  );
}
