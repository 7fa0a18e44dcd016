import { createHash, timingSafeEqual } from 'node:crypto';
import type { CommandBus, QueryBus } from '@nestjs/cqrs';
import { type Actor, isRejection, nameKey, type RejectionReason } from '@verbatim/domain';
import { AdmitGuestCommand } from '../../application/guests/admit-guest.js';
import type { Credentials } from '../../application/guests/browser/passphrase.js';
import { AuthenticateQuery, type Authentication, type Identity } from '../../application/sessions/authentication.js';
import { outOfScope, type Requirement } from '../../application/sessions/permission.js';
import { SignOutCommand } from '../../application/sessions/session-commands.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import { newId } from '../../new-id.js';
import type { PersonalToken } from '../../storage/vault/personal-tokens.js';
import { shownName } from './shown-names.js';

/** The credentials of a CONNECT. */
export interface Introduction {
  readonly clientId: string;
  readonly username: string | null;
  readonly password: string | null;
  readonly address: string;
}

/** An account that may connect. */
export interface Admitted {
  readonly actor: Actor;
  readonly username: string;
  readonly sessionId: string;
  /** Why the account may not stay after all; see `Authentication.objection`. */
  readonly objection: () => 'unauthenticated' | 'drain' | null;
  /** The author of their texts. */
  readonly shownName: string;
  /** The name given by the client. The original page treats texts by any other author as another person's. */
  readonly nick: string;
  readonly guest: boolean;
  /** The personal token that was used instead of a password. */
  readonly token: PersonalToken | null;
  /** Whether the token allows an action; everything is allowed without one. */
  readonly may: (scope: NonNullable<Requirement['scope']>) => boolean;
  /** Call when the connection has ended. */
  readonly leave: () => Promise<unknown>;
}

/**
 * Why a CONNECT is refused. The original page never retries after a refusal, but retries forever after a closed connection.
 * So the connection is closed without an answer (`later`) if the client may come back in a moment, and refused otherwise.
 */
export type NotAdmitted =
  | 'version'
  | 'identifier'
  | 'busy'
  | 'credentials'
  | 'notAuthorized'
  | 'banned'
  | 'authentication'
  | 'retain'
  | 'later';

const reasons: { readonly [R in RejectionReason]?: NotAdmitted } = {
  Invalid: 'identifier',
  NameTaken: 'identifier',
  Unauthenticated: 'credentials',
  SecondFactorNeeded: 'credentials',
  NotAllowed: 'banned',
  TooSoon: 'busy',
  Unavailable: 'later',
  Maintenance: 'later',
};

const DOOR = 'chatt';

/** Authenticates clients. */
export class Admission {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly authentication: Authentication,
    /** The login and password derived from the passphrase; null if there is no passphrase. */
    private readonly shared: Credentials | null,
  ) {}

  async admit(introduction: Introduction): Promise<Admitted | NotAdmitted> {
    const { username, password, clientId, address } = introduction;
    if (password?.startsWith('vbt_')) return this.byToken(password, username);
    if (this.knowsPassphrase(introduction)) return this.asGuest(clientId, address);
    if (username && password) return this.byPassword(username, password, address);
    if (this.shared) return username || password ? 'credentials' : 'notAuthorized';
    return this.asGuest(username || clientId, address);
  }

  private knowsPassphrase({ username, password }: Introduction): boolean {
    const { shared } = this;
    return shared !== null && same(username ?? '', shared.login) && same(password ?? '', shared.password);
  }

  /** Clients at one address without a name share one guest. */
  private async asGuest(nick: string, address: string): Promise<Admitted | NotAdmitted> {
    // A name with a wildcard fits no topic: each greeting would end the connection of the original page, which reconnects.
    if (/[+#]/.test(nick)) return 'identifier';
    const name = nick || `anonymous-${createHash('sha256').update(address).digest('hex').slice(0, 6)}`;
    const guest = await this.commands.execute(
      new AdmitGuestCommand(name, { address }, { correlation: newId(), door: DOOR }),
    );
    if (isRejection(guest)) return reasons[guest.rejected] ?? 'notAuthorized';
    const { actor, username, sessionId, displayName } = guest;
    const objection = () => this.authentication.objection({ actor, sessionId });
    const rest = { guest: true, token: null, may: () => true, leave: async () => undefined };
    return { actor, username, sessionId, objection, shownName: displayName, nick: name, ...rest };
  }

  private async byPassword(username: string, password: string, address: string): Promise<Admitted | NotAdmitted> {
    const client = { address, device: { address, userAgent: 'MQTT' } };
    const context = { correlation: newId(), door: DOOR };
    const signedIn = await this.commands.execute(new SignInCommand({ username, password }, client, context));
    if (isRejection(signedIn)) return reasons[signedIn.rejected] ?? 'notAuthorized';
    const identity = await this.queries.execute(new AuthenticateQuery({ bearer: signedIn.accessToken }));
    if (!identity) return 'later';
    // Each connection has its own session, which ends with it.
    const leave = () => this.commands.execute(new SignOutCommand(identity, { correlation: newId(), door: DOOR }));
    if (!identity.lacksSecondFactor) return this.admitted(identity, leave);
    await leave();
    return 'credentials';
  }

  private async byToken(bearer: string, username: string | null): Promise<Admitted | NotAdmitted> {
    const identity = await this.queries.execute(new AuthenticateQuery({ bearer }));
    if (!identity || identity.lacksSecondFactor) return 'credentials';
    if (outOfScope(identity.scopes, 'read')) return 'notAuthorized';
    const admitted = this.admitted(identity, async () => undefined);
    return username && nameKey(username) !== admitted.username ? 'credentials' : admitted;
  }

  private admitted(identity: Identity, leave: Admitted['leave']): Admitted {
    const { actor, sessionId, scopes, token = null, account } = identity;
    const { username } = account;
    const objection = () => this.authentication.objection(identity);
    const may: Admitted['may'] = (scope) => outOfScope(scopes, scope) === null;
    const name = shownName(account);
    return { actor, username, sessionId, objection, shownName: name, nick: name, guest: false, token, may, leave };
  }
}

/** Compares in constant time. */
function same(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
}
