import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type Call, type CallName, calls } from '@verbatim/protocol';
import { Authentication } from '../accounts/authentication.js';
import { Refusal } from './refusal.js';
import { CALL, type VerbatimRequest } from './request.js';

/** Lets a request through to its call when the call's entry in the table says that this person may ask it at all. */
@Injectable()
export class CallGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly authentication: Authentication,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const name = this.reflector.get<CallName | undefined>(CALL, context.getHandler());
    if (!name || calls[name].auth === 'none') return true;
    const request = context.switchToHttp().getRequest<VerbatimRequest>();
    const identity = await this.authentication.byHeader(request.headers.authorization);
    if (!identity) throw new Refusal('unauthenticated', 'Sign in and send the access token as a bearer token.');
    const call: Call = calls[name];
    if (identity.lacksSecondFactor && !call.beforeSecondFactor) {
      throw new Refusal('mfa_required', 'Your role demands a second factor. Set it up: POST /v1/me/totp.');
    }
    const { role } = identity.actor;
    if (call.auth === 'admin' && role !== 'admin') throw new Refusal('forbidden', 'Only administrators may do this.');
    if (call.auth === 'auditor' && role === 'user')
      throw new Refusal('forbidden', 'Only administrators and auditors may do this.');
    request.identity = identity;
    return true;
  }
}
