import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify, type RemoteJWKSet } from 'jose';
import type { Clock } from '../../clock.js';
import { providerFetch } from './provider-fetch.js';

/** Signatures with a key pair only: with a shared secret, whoever knows the public key could sign. */
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
/** Seconds by which the clocks of the provider and of this service may differ. */
const SKEW_SECONDS = 60;
/** Seconds since a token was issued. It is fetched for a code that the provider has just given out. */
const MOST_AGE_SECONDS = 300;
const TIMEOUT_MS = 5_000;
/** For how long the keys are kept. A key that is not among them is looked for at once, at most once in each cooldown. */
const KEYS_AGE_MS = 600_000;
const COOLDOWN_MS = 1_000;

/** Who has to have issued a token, and for whom. */
export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  readonly keys: URL;
}

/** The claims of a token that has been checked. */
export type IdClaims = JWTPayload & { readonly iss: string; readonly sub: string };

/** Checks ID tokens with the keys that the provider publishes (OpenID Connect Core, 3.1.3.7). */
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

  /** Throws an error of `jose` that names what is wrong with the token. */
  async verify(token: string, nonce: string): Promise<IdClaims> {
    const { issuer, clientId } = this.expected;
    const { payload } = await jwtVerify(token, this.keys, {
      issuer,
      audience: clientId,
      algorithms: ALGORITHMS,
      requiredClaims: ['sub', 'iat', 'exp', 'nonce'],
      maxTokenAge: MOST_AGE_SECONDS,
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

/** At most 255 characters of ASCII, says the standard. A few providers use others; what the database cannot hold none does. */
const isSubject = (sub: unknown): boolean => typeof sub === 'string' && /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(sub);

const wrong = (claim: string, payload: JWTPayload) =>
  new errors.JWTClaimValidationFailed(`unexpected "${claim}" claim value`, payload, claim, 'check_failed');
