import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify, type RemoteJWKSet } from 'jose';
import type { Clock } from '../../clock.js';
import { providerFetch } from './provider-fetch.js';

/** Asymmetric signatures only: with a shared secret, anyone with the public key could sign. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** Allowed clock difference between the provider and this service. */
const SKEW_SECONDS = 60;
/** Maximum age of a token, which is fetched right after the provider issues its code. */
const MAX_TOKEN_AGE_SECONDS = 300;
const TIMEOUT_MS = 5_000;
/** How long keys are cached. An unknown key is fetched immediately, at most once per cooldown. */
const KEYS_AGE_MS = 600_000;
const COOLDOWN_MS = 1_000;

/** The required issuer and audience of a token. */
export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  readonly keys: URL;
}

/** The claims of a verified token. */
export type IdClaims = JWTPayload & { readonly iss: string; readonly sub: string };

/** Verifies ID tokens with the keys that the provider publishes (OpenID Connect Core, 3.1.3.7). */
export class IdTokens {
  private readonly keys: RemoteJWKSet;

  constructor(
    private readonly expected: Expected,
    private readonly clock: Clock,
  ) {
    this.keys = createRemoteJWKSet(expected.keys, {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: KEYS_AGE_MS,
      cooldownDuration: COOLDOWN_MS,
      [customFetch]: providerFetch,
    });
  }

  /** Throws an error of `jose` that names the problem of an invalid token. */
  async verify(token: string, nonce: string): Promise<IdClaims> {
    const { issuer, clientId } = this.expected;
    const { payload } = await jwtVerify(token, this.keys, {
      issuer,
      audience: clientId,
      algorithms: ALGORITHMS,
      requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
      maxTokenAge: MAX_TOKEN_AGE_SECONDS,
      clockTolerance: SKEW_SECONDS,
      currentDate: this.clock(),
    });
    if (payload.nonce !== nonce) throw wrong('nonce', payload);
    const others = Array.isArray(payload.aud) && payload.aud.length > 1;
    if (payload.azp === undefined ? others : payload.azp !== clientId) throw wrong('azp', payload);
    if (!isSubject(payload.sub)) throw wrong('sub', payload);
    return payload as IdClaims;
  }
}

/** The standard allows 255 ASCII characters. Some providers use others; control characters and surrogates are rejected. */
const isSubject = (sub: unknown): boolean => typeof sub === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(sub);

const wrong = (claim: string, payload: JWTPayload) =>
  new errors.JWTClaimValidationFailed(`unexpected "${claim}" claim value`, payload, claim, 'check_failed');
