import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type CallName, calls } from '@verbatim/protocol';
import { Authentication } from '../accounts/authentication.js';
import { Proxies } from '../browsers/proxies.js';
import { within } from '../limits/limited.js';
import { Limits, spentBy } from '../limits/limits.js';
import { Refusal } from './refusal.js';
import { CALL, type VerbatimRequest } from './request.js';

/** Lets a request through to its call when the call's entry in the table says that this person may ask it at all. */
@Injectable()
export class CallGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authentication: Authentication,
    private readonly limits: Limits,
    private readonly proxies: Proxies,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const name = this.reflector.get<CallName | undefined>(CALL, context.getHandler());
    if (!name || calls[name].tag === 'Operation') return true;
    const request = context.switchToHttp().getRequest<VerbatimRequest>();
    if (calls[name].auth === 'none') {
      this.countVisit(request);
      return true;
    }
    const identity = await this.authentication.byHeader(request.headers.authorization);
    if (!identity) {
      this.countVisit(request);
      throw new Refusal('unauthenticated', 'Sign in and send the access token as a bearer token.');
    }
    within(this.limits.account(identity.actor.id)[spentBy(name)].take());
    if (calls[name].auth === 'admin' && identity.actor.role !== 'admin') {
      throw new Refusal('forbidden', 'Only administrators may do this.');
    }
    request.identity = identity;
    return true;
  }

  private countVisit({ raw }: VerbatimRequest): void {
    within(this.limits.visit(this.proxies.addressOf(raw)));
  }
}
