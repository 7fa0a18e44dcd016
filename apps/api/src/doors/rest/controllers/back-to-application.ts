import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IdentityProvider } from '../../../application/single-sign-on/identity-provider.js';
import { ProblemFilter } from '../problem-filter.js';
import { cookieOf, ERRAND, redirect } from './cookies.js';

/**
 * A browser that was sent to single sign-on from an address to return to is led back there when it is refused, with the code of
 * the error and the trace behind the number sign. All others get the problem as it is.
 */
@Catch()
export class BackToApplication implements ExceptionFilter {
  constructor(
    private readonly provider: IdentityProvider,
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

  /** On the way out it stands in the address, on the way back in what the browser has kept. */
  private async returnAddress(request: FastifyRequest): Promise<string | null> {
    const { return: wanted } = request.query as { return?: unknown };
    if (typeof wanted === 'string' && this.provider.returnsTo(wanted)) return wanted;
    return this.provider.returnAddressIn(cookieOf(request, ERRAND));
  }
}
