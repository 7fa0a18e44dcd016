import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problems } from '../problems.js';
import type { Refusal } from '../refusal.js';
import { noSuchPlace } from './places.js';

/** Answers errors of controllers, and requests that lead to no call. */
@Catch()
export class ProblemFilter extends Problems implements ExceptionFilter {
  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  protected override nowhere(request: FastifyRequest): Refusal {
    return noSuchPlace(request);
  }
}
