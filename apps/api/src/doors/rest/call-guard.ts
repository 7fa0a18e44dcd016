import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { onlyReads } from '@verbatim/domain';
import { type Call, type CallName, calls, openToAuditors } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { Authentication, outOfScope, overseersOnly } from '../../application/accounts/authentication.js';
import { Proxies } from '../../host/proxies.js';
import { limited, within } from '../../limits/limited.js';
import { Limits, spentBy } from '../../limits/limits.js';
import { Refusal } from '../refusal.js';
import { CALL, type VerbatimRequest } from './request.js';

/** Milliseconds after which a request may be repeated that was one too many at a time. */
const SOON_MS = 1_000;

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
    const call: Call | undefined = name && calls[name];
    if (!name || !call || call.tag === 'Operation') return true;
    const request = context.switchToHttp().getRequest<VerbatimRequest>();
    if (call.auth === 'none') {
      this.countVisit(request);
      return true;
    }
    const identity = await this.authentication.byHeader(request.headers.authorization);
    if (!identity) {
      this.countVisit(request);
      throw new Refusal('unauthenticated', 'Sign in and send the access token as a bearer token.');
    }
    const { id, role } = identity.actor;
    within(this.limits.account(id)[spentBy(name)].take());
    this.countInFlight(id, context.switchToHttp().getResponse<FastifyReply>());
    if (identity.lacksSecondFactor && !call.beforeSecondFactor) {
      throw new Refusal('mfa_required', 'Your role demands a second factor. Set it up: POST /v1/me/totp.');
    }
    if (call.auth === 'admin' && role !== 'admin') {
      throw new Refusal('forbidden', 'Only administrators may do this.');
    }
    if (call.auth === 'auditor' && role === 'user') throw overseersOnly();
    if (role === 'auditor' && !openToAuditors(call)) throw Refusal.of(onlyReads);
    const refused = outOfScope(identity.scopes, call.scope);
    if (refused) throw refused;
    request.identity = identity;
    return true;
  }

  /** Counts a request of an account until its response has gone out, or its connection has. */
  private countInFlight(userId: string, { raw }: FastifyReply): void {
    const { requestsOfAccounts } = this.limits;
    if (requestsOfAccounts.full(userId)) throw limited(SOON_MS);
    requestsOfAccounts.enter(userId);
    raw.once('close', () => requestsOfAccounts.leave(userId));
  }

  private countVisit({ raw }: VerbatimRequest): void {
    within(this.limits.visit(this.proxies.addressOf(raw)));
  }
}
