import type { IncomingMessage } from 'node:http';
import { Injectable } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import type { closeReasons } from '@verbatim/protocol';
import type { WebSocket } from 'ws';
import { AuthenticateQuery, Authentication, type Identity } from '../../application/sessions/authentication.js';
import { Limits } from '../../limits/limits.js';
import type { PersonalToken } from '../../storage/vault/personal-tokens.js';
import { userAnswer } from '../../wire/user-answer.js';
import { bearerIn } from '../bearer.js';
import { Connection } from './connection.js';

/** How long identifying the user of a new socket may take. */
const PATIENCE_MS = 10_000;

/** A user who may connect. */
export interface Admitted {
  readonly connection: Connection;
  /** The account as the person themselves may see it. */
  readonly user: ReturnType<typeof userAnswer>;
  /** The personal token that the socket was opened with, if any. */
  readonly token: PersonalToken | undefined;
}

/** Finds out who opened a socket, and whether they may connect. */
@Injectable()
export class Handshake {
  constructor(
    private readonly queries: QueryBus,
    private readonly authentication: Authentication,
    private readonly limits: Limits,
  ) {}

  /**
   * Calls `admitted` if they may, and otherwise returns why not. Nothing happens between the decision and the call, so that no
   * change to the account is missed. The socket must not be read meanwhile.
   */
  async admit(
    socket: WebSocket,
    request: IncomingMessage,
    admitted: (somebody: Admitted) => void,
  ): Promise<keyof typeof closeReasons | null> {
    const late = setTimeout(() => socket.terminate(), PATIENCE_MS);
    try {
      const identity = await this.identify(request);
      if (!identity || identity.lacksSecondFactor) return 'unauthenticated';
      const { actor, sessionId, scopes, token, account } = identity;
      if (socket.readyState !== socket.OPEN) return null;
      // Changes to the account or the session since then were not applied to a connection that was not there yet.
      const objection = this.authentication.objection(identity);
      if (objection) return objection;
      if (this.limits.socketsOfAccounts.full(actor.id)) return 'rateLimited';
      const allowances = this.limits.connection(actor.id);
      const connection = new Connection(socket, request.socket, actor, account.username, sessionId, scopes, allowances);
      admitted({ connection, token, user: userAnswer(actor.id, account, true) });
      return null;
    } finally {
      clearTimeout(late);
    }
  }

  private async identify(request: IncomingMessage): Promise<Identity | null> {
    const ticket = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('ticket');
    const bearer = bearerIn(request.headers.authorization);
    if (ticket) return this.queries.execute(new AuthenticateQuery({ ticket }));
    return bearer === undefined ? null : this.queries.execute(new AuthenticateQuery({ bearer }));
  }
}
