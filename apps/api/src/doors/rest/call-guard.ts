import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { QueryBus } from '@nestjs/cqrs';
import { type Call, type CallName, callList, openToAuditors, spentByCall } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { AuthenticateQuery } from '../../application/sessions/authentication.js';
import { permissionProblem, type Requirement } from '../../application/sessions/permission.js';
import { Proxies } from '../../host/proxies.js';
import { limited, limitedFor } from '../../limits/limited.js';
import { Limits } from '../../limits/limits.js';
import { bearerIn } from '../bearer.js';
import { Refusal } from '../refusal.js';
import { CALL, type VerbatimRequest } from './request.js';

/** Retry delay when an account has too many requests in flight, in milliseconds. */
const RETRY_IN_FLIGHT_MS = 1_000;

/** Authenticates a request, counts it against the limits, and checks the caller's permission by the table of calls. */
@Injectable()
export class CallGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly queries: QueryBus,
    private readonly limits: Limits,
    private readonly proxies: Proxies,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const name = this.reflector.get<CallName | undefined>(CALL, context.getHandler());
    const guarded = name && guardedCalls.get(name);
    if (!guarded) return true;
    const request = context.switchToHttp().getRequest<VerbatimRequest>();
    if (guarded.requirement === null) {
      this.countVisit(request);
      return true;
    }
    const bearer = bearerIn(request.headers.authorization);
    const identity = bearer ? await this.queries.execute(new AuthenticateQuery({ bearer })) : null;
    if (!identity) {
      this.countVisit(request);
      throw new Refusal('unauthenticated', 'Sign in and send the access token as a bearer token.');
    }
    const { id } = identity.actor;
    const tooSoon = limitedFor(this.limits.account(id)[guarded.spending].spend());
    if (tooSoon) throw Refusal.of(tooSoon);
    this.countInFlight(id, context.switchToHttp().getResponse<FastifyReply>());
    const problem = permissionProblem(identity, guarded.requirement);
    if (problem) throw Refusal.of(problem);
    request.identity = identity;
    return true;
  }

  /** Counts a request of an account until its response has been sent, or the connection is closed. */
  private countInFlight(userId: string, { raw }: FastifyReply): void {
    const { requestsOfAccounts } = this.limits;
    if (requestsOfAccounts.full(userId)) throw Refusal.of(limited(RETRY_IN_FLIGHT_MS));
    requestsOfAccounts.enter(userId);
    raw.once('close', () => requestsOfAccounts.leave(userId));
  }

  private countVisit({ raw }: VerbatimRequest): void {
    const tooSoon = this.limits.visit(this.proxies.addressOf(raw));
    if (tooSoon) throw Refusal.of(tooSoon);
  }
}

/** What a call requires of the caller; null: no account. */
const requirementOf = (call: Call): Requirement | null =>
  call.auth === 'none'
    ? null
    : {
        ...(call.auth !== 'user' && { role: call.auth }),
        scope: call.scope,
        openToAuditors: openToAuditors(call),
        beforeSecondFactor: call.beforeSecondFactor ?? false,
      };

/** All calls but those of operation, which are neither authenticated nor counted. */
const guardedCalls = new Map(
  callList
    .filter(([, call]) => call.tag !== 'Operation')
    .map(([name, call]) => [name, { requirement: requirementOf(call), spending: spentByCall(call) }]),
);
