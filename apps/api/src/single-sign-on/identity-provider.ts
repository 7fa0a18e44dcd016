import type { ServerRole } from '@verbatim/domain';
import { type KeyRing, openText, sealText } from '@verbatim/event-store';
import * as client from 'openid-client';
import type { Clock } from '../clock.js';
import type { Config } from '../config.js';
import { Refusal } from '../rest/refusal.js';
import type { ForeignIdentity } from '../vault/identities.js';

/** Seconds that a person has for signing in at the provider. */
const SIGN_ON_PATIENCE = 600;
/** Seconds for which the browser keeps its errand: longer, so that whoever is late is still led back to where they began. */
export const ERRAND_SECONDS = 3_600;
/** Where the dashboard is, on each origin that has it. */
const DASHBOARD = '/admin/';
/** Seconds for which the provider is waited for. */
const PROVIDER_PATIENCE = 10;
const KEY = 'single-sign-on';

/** What the provider says of somebody. */
export interface ForeignPerson extends ForeignIdentity {
  /** Null unless the provider says that it is theirs. */
  readonly email: string | null;
  /** What they would like to be called, the best first. */
  readonly names: readonly string[];
  readonly displayName: string | null;
  /** The role that the claim of roles gives them; null where no such claim is set up. */
  readonly role: ServerRole | null;
}

/** What a browser leaves with. */
export interface Departure {
  /** The code of an invitation, in case the person has no account yet. */
  readonly invitation?: string;
  /** Where the browser goes at the end, whatever it is; absent: where the settings say, and only if the person is let in. */
  readonly returnTo?: string;
}

/** What is kept in the browser's cookie, sealed, while the person is at the provider. */
interface Errand extends Departure {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Somebody who comes back from the provider, the invitation that they left with, and where they go now. */
export interface Arrival {
  readonly person: ForeignPerson;
  readonly invitation: string | null;
  readonly returnTo: string;
}

type Settings = Pick<
  Config,
  | 'OIDC_ISSUER'
  | 'OIDC_CLIENT_ID'
  | 'OIDC_CLIENT_SECRET'
  | 'OIDC_REDIRECT_URI'
  | 'OIDC_SCOPES'
  | 'OIDC_ROLE_CLAIM'
  | 'OIDC_ADMIN_VALUE'
  | 'OIDC_AUDITOR_VALUE'
  | 'OIDC_LABEL'
  | 'OIDC_RETURN_URL'
  | 'ALLOWED_ORIGINS'
>;

/** The identity provider of the settings, if there is one: code flow with PKCE, state and nonce (OpenID Connect Core, 3.1). */
export class IdentityProvider {
  private discovered: Promise<client.Configuration> | null = null;

  constructor(
    private readonly settings: Settings,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
  ) {}

  /** What to call it; null: there is none. */
  get label(): string | null {
    return this.settings.OIDC_ISSUER ? this.settings.OIDC_LABEL : null;
  }

  /** Whether browsers are led there at the end: to the address of the settings, to the dashboard here and at allowed origins. */
  returnsTo(address: string): boolean {
    const { OIDC_RETURN_URL: set, ALLOWED_ORIGINS: origins } = this.settings;
    return [set, DASHBOARD, ...origins.map((origin) => `${origin}${DASHBOARD}`)].includes(address);
  }

  /** Where a browser with this errand wants to be led, however its errand ends; null: nowhere. */
  async returnAddressIn(sealed: string | undefined): Promise<string | null> {
    const returnTo = (await this.open(sealed))?.returnTo;
    return returnTo !== undefined && this.returnsTo(returnTo) ? returnTo : null;
  }

  /** Where to send a browser, and what it is to bring back. */
  async begin({ invitation, returnTo }: Departure): Promise<{ address: string; errand: string }> {
    const configuration = await this.configuration();
    const errand: Errand = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
      ...(invitation !== undefined && { invitation }),
      ...(returnTo !== undefined && { returnTo }),
      until: this.clock().getTime() + SIGN_ON_PATIENCE * 1_000,
    };
    const address = client.buildAuthorizationUrl(configuration, {
      redirect_uri: this.settings.OIDC_REDIRECT_URI ?? '',
      scope: this.settings.OIDC_SCOPES,
      state: errand.state,
      nonce: errand.nonce,
      code_challenge: await client.calculatePKCECodeChallenge(errand.verifier),
      code_challenge_method: 'S256',
    });
    return { address: address.href, errand: sealText(JSON.stringify(errand), await this.key(), KEY) };
  }

  /** Who comes back, by the query of the address and by what the browser has brought. */
  async finish(query: string, sealed: string | undefined): Promise<Arrival> {
    const configuration = await this.configuration();
    const errand = await this.open(sealed);
    if (!errand || errand.until < this.clock().getTime())
      throw new Refusal('unauthenticated', 'This was not begun in this browser, or too long ago. Begin anew.');
    try {
      const tokens = await client.authorizationCodeGrant(
        configuration,
        new URL(`${this.settings.OIDC_REDIRECT_URI}${query}`),
        {
          expectedState: errand.state,
          expectedNonce: errand.nonce,
          pkceCodeVerifier: errand.verifier,
          idTokenExpected: true,
        },
      );
      const claims = tokens.claims();
      if (!claims) throw new Refusal('unauthenticated', 'The identity provider did not say who this is.');
      const more = configuration.serverMetadata().userinfo_endpoint
        ? await client.fetchUserInfo(configuration, tokens.access_token, claims.sub)
        : ({} as client.UserInfoResponse);
      // An address and the word that it is verified count only together.
      const { email, email_verified } = claims.email === undefined ? more : claims;
      const person = this.person(claims.iss, claims.sub, { ...more, ...claims, email, email_verified });
      const { invitation = null, returnTo = this.settings.OIDC_RETURN_URL } = errand;
      return { person, invitation, returnTo };
    } catch (error) {
      throw refusalFor(error);
    }
  }

  private async open(sealed: string | undefined): Promise<Errand | null> {
    const text = sealed === undefined ? null : openText(sealed, await this.key(), KEY);
    return text === null ? null : (JSON.parse(text) as Errand);
  }

  private person(issuer: string, subject: string, claims: Readonly<Record<string, unknown>>): ForeignPerson {
    const text = (name: string) => (typeof claims[name] === 'string' ? (claims[name] as string) : null);
    const email = claims.email_verified === true ? text('email') : null;
    const names = [text('preferred_username'), email?.split('@')[0], text('nickname'), text('name')];
    return {
      issuer,
      subject,
      email,
      names: names.filter((name): name is string => Boolean(name)),
      displayName: text('name'),
      role: this.roleIn(claims),
    };
  }

  private roleIn(claims: Readonly<Record<string, unknown>>): ServerRole | null {
    const { OIDC_ROLE_CLAIM: claim, OIDC_ADMIN_VALUE: admin, OIDC_AUDITOR_VALUE: auditor } = this.settings;
    if (!claim) return null;
    const values: readonly unknown[] = [claims[claim]].flat();
    if (admin && values.includes(admin)) return 'admin';
    return auditor && values.includes(auditor) ? 'auditor' : 'user';
  }

  /** Asks the provider for its addresses, once; a provider that was away is asked again. */
  private configuration(): Promise<client.Configuration> {
    const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: id = '', OIDC_CLIENT_SECRET: password } = this.settings;
    if (!issuer) return Promise.reject(new Refusal('not_found', 'There is no single sign-on here.'));
    // The settings let only a provider on this machine go without TLS.
    const execute = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
    this.discovered ??= client
      .discovery(new URL(issuer), id, password, undefined, { execute, timeout: PROVIDER_PATIENCE })
      .catch((error: unknown) => {
        this.discovered = null;
        throw away(error);
      });
    return this.discovered;
  }

  private async key(): Promise<Buffer> {
    const key = (await this.keys.obtain([KEY])).get(KEY);
    if (!key) throw new Error(`There is no key ${KEY}.`);
    return key;
  }
}

const away = (cause: unknown) =>
  Object.assign(new Refusal('unavailable', 'The identity provider cannot be reached at the moment.'), { cause });

/** Whatever the provider refused means that it did not confirm who this is. */
function refusalFor(error: unknown): Error {
  if (error instanceof Refusal) return error;
  const { code } = error as { code?: string };
  if (error instanceof TypeError || code === 'OAUTH_TIMEOUT' || code === 'OAUTH_ABORT') return away(error);
  return new Refusal('unauthenticated', 'The identity provider did not confirm who this is. Begin anew.');
}
