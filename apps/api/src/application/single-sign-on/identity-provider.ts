import { isRejection, type Rejection, reject, type ServerRole } from '@verbatim/domain';
import { type KeyRing, openText, sealText } from '@verbatim/event-store';
import * as client from 'openid-client';
import type { Logger } from 'pino';
import type { Clock } from '../../clock.js';
import type { Config } from '../../config.js';
import type { ForeignIdentity } from '../../storage/vault/identities.js';
import { claimText, type ForeignNames, verifiedEmail } from './foreign-names.js';
import { type IdClaims, IdTokens } from './id-tokens.js';
import { providerFetch } from './provider-fetch.js';

/** Time to sign in at the provider. */
const SIGN_ON_SECONDS = 600;
/** Lifetime of the errand in the browser: longer, so that a late user is still sent back to where they started. */
export const ERRAND_SECONDS = 3_600;
/** Path of the dashboard, on each origin that has it. */
const DASHBOARD = '/admin/';
/** Timeout of requests to the provider. */
const PROVIDER_TIMEOUT_SECONDS = 10;
/** How long the provider's metadata is cached. */
const DISCOVERY_AGE_MS = 3_600_000;
const KEY = 'single-sign-on';

/** A user as the provider describes them. */
export interface ForeignPerson extends ForeignIdentity {
  /** In stored form; null unless the provider has verified it. */
  readonly email: string | null;
  /** Candidates for the username and the display name. */
  readonly usernames: ForeignNames;
  readonly displayNames: ForeignNames;
  /** The role by the roles claim; null if none is configured. */
  readonly role: ServerRole | null;
}

/** The parameters of a sign-on started by a browser. */
export interface Departure {
  /** An invitation code, for users without an account. */
  readonly invitation?: string;
  /** Where the browser is sent at the end, even after errors; absent: the configured address, on success only. */
  readonly returnTo?: string;
}

/** The state of a sign-on, sealed in the browser's cookie while the user is at the provider. */
interface Errand extends Departure {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** A user who returns from the provider, their invitation, and where to send them now. */
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

/** The provider's metadata (OpenID Connect Discovery). */
interface Discovered {
  readonly configuration: client.Configuration;
  readonly idTokens: IdTokens;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/**
 * The configured identity provider, if there is one: code flow with PKCE, state and nonce (OpenID Connect Core, 3.1). The
 * verified ID token identifies the user; other claims may come from the UserInfo endpoint, for the same subject.
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

  /** Its display name; null: there is none. */
  get label(): string | null {
    return this.settings.OIDC_ISSUER ? this.settings.OIDC_LABEL : null;
  }

  /** Whether browsers may be sent to an address: the configured one, and the dashboard here and at allowed origins. */
  returnsTo(address: string): boolean {
    const { OIDC_RETURN_URL: set, ALLOWED_ORIGINS: origins } = this.settings;
    return [set, DASHBOARD, ...origins.map((origin) => `${origin}${DASHBOARD}`)].includes(address);
  }

  /** Where to send a browser with this errand whatever the outcome; null: nowhere. */
  async returnAddressIn(sealed: string | undefined): Promise<string | null> {
    const returnTo = (await this.open(sealed))?.returnTo;
    return returnTo !== undefined && this.returnsTo(returnTo) ? returnTo : null;
  }

  /** The address to send a browser to, and the errand that it keeps. */
  async begin({ invitation, returnTo }: Departure): Promise<{ address: string; errand: string } | Rejection> {
    const provider = await this.provider();
    if (isRejection(provider)) return provider;
    const { configuration } = provider;
    const errand: Errand = {
      state: client.randomState(),
      nonce: client.randomNonce(),
      verifier: client.randomPKCECodeVerifier(),
      ...(invitation !== undefined && { invitation }),
      ...(returnTo !== undefined && { returnTo }),
      until: this.clock().getTime() + SIGN_ON_SECONDS * 1_000,
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

  /** Identifies the returning user by the query string and the browser's errand. */
  async finish(query: string, sealed: string | undefined): Promise<Arrival | Rejection> {
    const provider = await this.provider();
    if (isRejection(provider)) return provider;
    const errand = await this.open(sealed);
    if (!errand || errand.until < this.clock().getTime()) return notBegun;
    try {
      const claims = await this.claimsOf(provider, query, errand);
      const { invitation = null, returnTo = this.settings.OIDC_RETURN_URL } = errand;
      return { person: this.person(claims), invitation, returnTo };
    } catch (error) {
      const { message: reason, code = '' } = error as Error & { code?: string };
      // The reason is for the operator only: it concerns their provider or settings.
      this.log.warn({ reason, code: code || undefined }, 'single sign-on failed');
      return error instanceof TypeError || timeoutCodes.has(code) ? away : notConfirmed;
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
    // The address and its verification must come from the same source.
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

  /** The provider's metadata, refreshed periodically; the last known version while the provider is unreachable. */
  private async provider(): Promise<Discovered | Rejection> {
    if (!this.settings.OIDC_ISSUER) return none;
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
      if (!this.away) this.log.warn({ err: error }, 'the identity provider cannot be used');
      this.away = true;
      return discovered ?? away;
    }
  }

  private async discover(): Promise<Discovered> {
    const { OIDC_ISSUER: issuer = '', OIDC_CLIENT_ID: id = '', OIDC_CLIENT_SECRET: password } = this.settings;
    // The settings allow plain HTTP only for a provider on this machine.
    const execute = issuer.startsWith('http:') ? [client.allowInsecureRequests] : [];
    const options = { execute, timeout: PROVIDER_TIMEOUT_SECONDS, [client.customFetch]: providerFetch };
    const configuration = await client.discovery(new URL(issuer), id, password, undefined, options);
    const { issuer: named, jwks_uri } = configuration.serverMetadata();
    const keys = new URL(jwks_uri ?? '');
    if (keys.protocol !== 'https:' && issuer.startsWith('https:')) throw new TypeError('jwks_uri does not use TLS.');
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

const none = reject('NotFound', 'Single sign-on is not configured.');
const away = reject('Unavailable', 'The identity provider cannot be reached at the moment.');
const notBegun = reject(
  'Unauthenticated',
  'The sign-in was not started in this browser, or too long ago. Start again.',
);
const notConfirmed = reject('Unauthenticated', 'The identity provider did not confirm the sign-in. Start again.');

const timeoutCodes = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'ERR_JWKS_TIMEOUT']);
