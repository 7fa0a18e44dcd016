import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { isRejection } from '@verbatim/domain';
import { type Call, type CallName, calls } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { Proxies } from '../../host/proxies.js';
import { Reads } from '../../limits/reads.js';
import { Idempotency } from '../../storage/desk/idempotency.js';
import { POSITION_HEADER, ReadYourWrites } from '../read-your-writes.js';
import { Refusal } from '../refusal.js';
import { ListAnswer } from './list-answer.js';
import { CALL, type VerbatimRequest } from './request.js';

/** Wraps every call: reads wait for the position they name, writes happen once per key. */
@Injectable()
export class CallInterceptor implements NestInterceptor {
  constructor(
    private readonly reflector: Reflector,
    private readonly readYourWrites: ReadYourWrites,
    private readonly idempotency: Idempotency,
    private readonly reads: Reads,
    private readonly proxies: Proxies,
  ) {}

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const http = context.switchToHttp();
    const request = http.getRequest<VerbatimRequest>();
    const name = this.reflector.get<CallName | undefined>(CALL, context.getHandler());
    if (request.method === 'GET' || request.method === 'HEAD') {
      await this.readYourWrites.beforeRead(request);
      return this.read(name && calls[name], request, http.getResponse<FastifyReply>(), next);
    }
    const key = request.headers['idempotency-key'];
    const takesKey = name !== undefined && 'Idempotency-Key' in calls[name].headers.request;
    // Calls that issue credentials issue new ones each time, whatever the key.
    if (key === undefined || !request.identity || !takesKey) return next.handle();
    if (typeof key !== 'string' || !/^[\x21-\x7e]{1,200}$/.test(key)) {
      throw new Refusal('invalid_request', 'The header Idempotency-Key must be 1 to 200 visible ASCII characters.', {
        errors: [{ path: 'headers.idempotency-key', message: 'must be 1 to 200 visible ASCII characters' }],
      });
    }
    return from(this.once(request.identity.actor.id, key, request, http.getResponse<FastifyReply>(), next));
  }

  private read(call: Call | undefined, request: VerbatimRequest, reply: FastifyReply, next: CallHandler) {
    // Health checks are answered in any situation.
    if (!call || call.tag === 'Operation') return next.handle();
    const { identity, raw } = request;
    const reader = identity ? this.reads.account(identity.actor.id) : this.reads.visitor(this.proxies.addressOf(raw));
    if (call.mediaType !== undefined) {
      // A file is read in parts, each in its turn.
      const refused = this.reads.refusal(reader);
      if (refused) throw Refusal.of(refused);
      return next.handle();
    }
    const answer = this.reads.answer(reader, reply.raw, async () => {
      const answer: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
      if (!(answer instanceof ListAnswer)) return answer;
      const json = await answer.encode();
      reply.type('application/json; charset=utf-8');
      return json;
    });
    return from(answer.then((outcome) => orThrow(outcome)));
  }

  private async once(
    userId: string,
    key: string,
    request: VerbatimRequest,
    reply: FastifyReply,
    next: CallHandler,
  ): Promise<unknown> {
    const { method, url, body: sent } = request;
    const beginning = await this.idempotency.begin(userId, key, { method, url, body: sent ?? null });
    if (beginning.kind === 'other-request')
      throw new Refusal('conflict', 'This Idempotency-Key was used for another request.');
    if (beginning.kind === 'in-progress')
      throw new Refusal('unavailable', 'The first request with this key is still in progress. Try again later.');
    if (beginning.kind === 'answered') {
      const { status, body, position } = beginning.answer;
      reply.status(status);
      if (position !== undefined) reply.header(POSITION_HEADER, position);
      return body;
    }
    request.repeatableId = beginning.repeatableId;
    try {
      const answer = await lastValueFrom(next.handle(), { defaultValue: undefined });
      const position = reply.getHeader(POSITION_HEADER) as string | undefined;
      await this.idempotency.answered(userId, key, { status: reply.statusCode, body: answer, position });
      return answer;
    } catch (error) {
      if (isDefinite(error)) await this.idempotency.refused(userId, key);
      else await this.idempotency.abandoned(userId, key);
      throw error;
    }
  }
}

/** The answer, unless the read was rejected. */
function orThrow(outcome: unknown): unknown {
  if (typeof outcome === 'object' && outcome !== null && isRejection(outcome)) throw Refusal.of(outcome);
  return outcome;
}

/** Whether it is certain that the request changed nothing. */
const isDefinite = (error: unknown): boolean =>
  error instanceof Refusal && error.code !== 'unavailable' && error.code !== 'internal';
