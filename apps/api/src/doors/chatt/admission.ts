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

/** What a CONNECT says about who connects. */
export interface Introduction {
  readonly clientId: string;
  readonly username: string | null;
  readonly password: string | null;
  /** Of the client. */
  readonly address: string;
}

/** Somebody who may connect. */
export interface Admitted {
  readonly actor: Actor;
  readonly username: string;
  readonly sessionId: string;
  /** Why they must not be let in after all; see `Authentication.objection`. */
  readonly objection: () => 'unauthenticated' | 'drain' | null;
  /** How the author of their texts is called. */
  readonly shownName: string;
  /** How they called themselves: the original page takes texts of any other author for another person's. */
  readonly nick: string;
  readonly guest: boolean;
  /** The personal token that was used instead of a password. */
  readonly token: PersonalToken | null;
  /** Whether they may publish, and do everything else. */
  readonly may: (scope: NonNullable<Requirement['scope']>) => boolean;
  /** To be called when the connection has ended. */
  readonly leave: () => Promise<unknown>;
}

/**
 * Why somebody is not let in: the version of the protocol, the client id or name, the credentials or the method of
 * authentication are none for this door; the person may not be here; something is too much; or the will is to be retained. The original page never tries again after a refusal, and for ever after a closed connection: so
 * whoever has to stay out is refused, and who may come back in a moment (`later`) finds the connection closed.
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

/** Finds out who connects. */
export class Admission {
  constructor(
    private readonly commands: CommandBus,
    private readonly queries: QueryBus,
    private readonly authentication: Authentication,
    /** The pair that all who know the passphrase share; null: nobody needs it. */
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

  /** Everybody at one address who gives no name is the same guest. */
  private async asGuest(nick: string, address: string): Promise<Admitted | NotAdmitted> {
    // A name with a wildcard is in no topic: the original page would be thrown out with each greeting, and come back.
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
    // Each connection has a session of its own, which ends with it.
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

/** Takes as long whatever the difference is. */
function same(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
}
