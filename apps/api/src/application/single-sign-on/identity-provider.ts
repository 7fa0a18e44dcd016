import type { ServerRole } from '@verbatim/domain';
import { type KeyRing, openText, sealText } from '@verbatim/event-store';
import * as client from 'openid-client';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import { Refusal } from '../../doors/refusal.js';
import type { ForeignIdentity } from '../../storage/vault/identities.js';
import { claimText, type ForeignNames, verifiedEmail } from './foreign-names.js';
import { type IdClaims, IdTokens } from './id-tokens.js';
import { providerFetch } from './provider-fetch.js';

/** Seconds that a person has for signing in at the provider. */
const SIGN_ON_PATIENCE = 600;
/** Seconds for which the browser keeps its errand: longer, so that whoever is late is still led back to where they began. */
export const ERRAND_SECONDS = 3_600;
/** Where the dashboard is, on each origin that has it. */
const DASHBOARD = '/admin/';
/** Seconds for which the provider is waited for. */
const PROVIDER_PATIENCE = 10;
/** For how long what the provider says of itself is used before it is asked again. */
const DISCOVERY_AGE_MS = 3_600_000;
const KEY = 'single-sign-on';

/** What the provider says of somebody. */
export interface ForeignPerson extends ForeignIdentity {
  /** In the form in which it is stored; null unless the provider has verified it. */
  readonly email: string | null;
  /** What their username and their display name could be made from. */
  readonly usernames: ForeignNames;
  readonly displayNames: ForeignNames;
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

/** What the provider says of itself (OpenID Connect Discovery). */
interface Discovered {
  readonly configuration: client.Configuration;
  readonly idTokens: IdTokens;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * The identity provider of the settings, if there is one: code flow with PKCE, state and nonce (OpenID Connect Core, 3.1). Who somebody
 * is stands in the ID token, whose signature is checked; what else is known of them may come from the UserInfo
 * endpoint, which has to speak of the same subject.
 */
export class IdentityProvider {
  private discovered: Discovered | null = null;
  private discovering: Promise<Discovered> | null = null;
  private away = false;

  constructor(
    private readonly settings: Settings,
    private readonly keys: KeyRing,
    private readonly clock: Clock,
    private readonly log: Logger,
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
    const { configuration } = await this.provider();
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
    const provider = await this.provider();
    const errand = await this.open(sealed);
    if (!errand || errand.until < this.clock().getTime())
      throw new Refusal('unauthenticated', 'This was not begun in this browser, or too long ago. Begin anew.');
    try {
      const claims = await this.claimsOf(provider, query, errand);
      const { invitation = null, returnTo = this.settings.OIDC_RETURN_URL } = errand;
      return { person: this.person(claims), invitation, returnTo };
    } catch (error) {
      const refusal = refusalFor(error);
      // Only the operator is told why: it is their provider, or their settings.
      this.log.warn(
        { reason: (error as Error).message, code: (error as { code?: string }).code },
        'single sign-on failed',
      );
      throw refusal;
    }
  }

  private async claimsOf(
    { configuration, idTokens }: Discovered,
    query: string,
    { state, nonce, verifier }: Errand,
  ): Promise<IdClaims> {
    const address = new URL(`${this.settings.OIDC_REDIRECT_URI}${query}`);
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
    const tokens = await client.authorizationCodeGrant(configuration, address, checks);
    const claims = await idTokens.verify(tokens.id_token ?? '', nonce);
    if (!configuration.serverMetadata().userinfo_endpoint) return claims;
    const more = await client.fetchUserInfo(configuration, tokens.access_token, claims.sub);
    // An address and the word that it is verified count only together.
    const { email, email_verified } = claims.email === undefined ? more : claims;
    return { ...more, ...claims, email, email_verified };
  }

  private async open(sealed: string | undefined): Promise<Errand | null> {
    const text = sealed === undefined ? null : openText(sealed, await this.key(), KEY);
    return text === null ? null : (JSON.parse(text) as Errand);
  }

  private person(claims: IdClaims): ForeignPerson {
    const email = verifiedEmail(claims);
    const text = (name: string) => claimText(claims[name]) ?? '';
    const fullName = `${text('given_name')} ${text('family_name')}`;
    return {
      issuer: claims.iss,
      subject: claims.sub,
      email,
      usernames: ['preferred_username', 'email', 'nickname', 'name'].map(text),
      displayNames: [text('name'), fullName, ...['preferred_username', 'nickname', 'email'].map(text)],
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

  /** What the provider says of itself. It is asked now and then; while it is away, what it said last counts. */
  private async provider(): Promise<Discovered> {
    const { discovered } = this;
    if (discovered && this.clock().getTime() - discovered.at < DISCOVERY_AGE_MS) return discovered;
    this.discovering ??= this.discover().finally(() => {
      this.discovering = null;
    });
    try {
      this.discovered = await this.discovering;
      this.away = false;
      return this.discovered;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      if (!this.away) this.log.warn({ err: error }, 'the identity provider cannot be used');
      this.away = true;
      if (discovered) return discovered;
      throw away(error);
    }
  }

  private async discover(): Promise<Discovered> {
    const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: id = '', OIDC_CLIENT_SECRET: password } = this.settings;
    if (!issuer) throw new Refusal('not_found', 'There is no single sign-on here.');
    // The settings let only a provider on this machine go without TLS.
    const execute = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
    const options = { execute, timeout: PROVIDER_PATIENCE, [client.customFetch]: providerFetch };
    const configuration = await client.discovery(new URL(issuer), id, password, undefined, options);
    const { issuer: named, jwks_uri } = configuration.serverMetadata();
    const keys = new URL(jwks_uri ?? '');
    if (keys.protocol !== 'https:' && issuer.startsWith('https:')) throw new TypeError('jwks_uri is without TLS.');
    return {
      configuration,
      idTokens: new IdTokens({ issuer: named, clientId: id, keys }, this.clock),
      at: this.clock().getTime(),
    };
  }

  private async key(): Promise<Buffer> {
    const key = (await this.keys.obtain([KEY])).get(KEY);
    if (!key) throw new Error(`There is no key ${KEY}.`);
    return key;
  }
}

const away = (cause: unknown) =>
  Object.assign(new Refusal('unavailable', 'The identity provider cannot be reached at the moment.'), { cause });

const awayCodes = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'ERR_JWKS_TIMEOUT']);

/** Whatever the provider refused means that it did not confirm who this is. */
function refusalFor(error: unknown): Error {
  if (error instanceof Refusal) return error;
  const { code = '' } = error as { code?: string };
  if (error instanceof TypeError || awayCodes.has(code)) return away(error);
  return new Refusal('unauthenticated', 'The identity provider did not confirm who this is. Begin anew.');
}
