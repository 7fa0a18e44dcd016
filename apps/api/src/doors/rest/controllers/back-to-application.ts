import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { GetReturnAddressQuery } from '../../../application/single-sign-on/sign-on-commands.js';
import { ProblemFilter } from '../problem-filter.js';
import { cookieOf, ERRAND, redirect } from './cookies.js';

/**
 * Sends a browser whose single sign-on failed back to where it started, with the error code and the trace in the fragment.
 * Browsers without a return address get the problem itself.
 */
@Catch()
export class BackToApplication implements ExceptionFilter {
  constructor(
    private readonly queries: QueryBus,
    private readonly problems: ProblemFilter,
  ) {}

  async catch(error: unknown, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
    const address = await this.returnAddress(request).catch(() => null);
    if (address === null) return this.problems.answer(error, request, reply);
    const { code } = this.problems.refusalOf(error, request);
    redirect(reply, `${address}#sso-error=${code}&trace=${request.id}`);
    reply.status(302).send();
  }

  /** When sign-on starts it is in the query, when the browser returns it is in its errand. */
  private returnAddress(request: FastifyRequest): Promise<string | null> {
    const { return: wanted } = request.query as { return?: unknown };
    const inQuery = typeof wanted === 'string' ? wanted : undefined;
    return this.queries.execute(new GetReturnAddressQuery(inQuery, cookieOf(request, ERRAND)));
  }
}
