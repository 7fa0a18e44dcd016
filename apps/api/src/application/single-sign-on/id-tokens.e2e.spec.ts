import { createHmac } from 'node:crypto';
import { type CryptoKey, exportSPKI, importJWK, type JWTPayload } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { outcome } from '../../tests/harness/contract.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { eventually, Visitor } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { type KeyPair, keyPair, LyingProvider, signed } from './lying-provider.testing.js';
import { Browser, client } from './provider.testing.js';

let provider: LyingProvider;
let service: TestService;
let key: KeyPair;
let stranger: KeyPair;

const environment = (port: number) => ({
  PORT: `${port}`,
  OIDC_ISSUER: provider.issuer,
  OIDC_CLIENT_ID: client.id,
  OIDC_CLIENT_SECRET: client.secret,
  OIDC_REDIRECT_URI: `http://127.0.0.1:${port}/v1/auth/sso/callback`,
  LOG_LEVEL: 'silent',
});

beforeAll(async () => {
  provider = await LyingProvider.start(client.id);
  [key, stranger] = await Promise.all([keyPair('one'), keyPair('one')]);
  service = await startTestService({ environment: environment(await freePort()) });
});
afterAll(async () => {
  await service.stop();
  await provider.stop();
});
beforeEach(() => {
  provider.keys = [key.jwk];
  provider.token = (claims) => signed(claims, key);
  provider.userInfo = null;
  provider.metadata = {};
  provider.instead.clear();
});

/** Goes to the provider and back: the account that it ends in, or the refusal. */
async function comeBack(at = service): Promise<object | string | number> {
  const browser = new Browser();
  const end = await browser.follow(`${at.url}/v1/auth/sso`, `${at.url}/admin/`);
  if (typeof end !== 'string') return outcome({ status: end.status, body: await end.json() } as never);
  const answer = await browser.post(`${at.url}/v1/auth/sso/session`, { code: end.split('#sso-code=')[1] });
  return ((await answer.json()) as { user: object }).user;
}

const encoded = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
const admitted = expect.objectContaining({ role: 'user', status: 'active' });

describe('an ID token', () => {
  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('signed by the provider with %s says who it is', async (alg) => {
    const other = await keyPair(`key for ${alg}`, alg);
    provider.keys = [key.jwk, other.jwk];
    provider.token = (claims) => signed(claims, other);
    // The keys may just have been fetched for another test.
    await eventually(comeBack, (answer) => typeof answer === 'object');
  });

  const now = () => Math.floor(Date.now() / 1_000);
  const changes: [string, (claims: JWTPayload) => object][] = [
    ['is issued by somebody else', () => ({ iss: 'https://elsewhere.example.org' })],
    ['is meant for another client', () => ({ aud: 'another' })],
    ['is meant for several, without saying for whom it was made', () => ({ aud: [client.id, 'another'] })],
    ['was made for another client', () => ({ aud: [client.id, 'another'], azp: 'another' })],
    ['was made for another client, though meant for this one', () => ({ azp: 'another' })],
    ['has run out', () => ({ iat: now() - 200, exp: now() - 100 })],
    ['never runs out', () => ({ exp: undefined })],
    ['was issued long ago', () => ({ iat: now() - 3_600 })],
    ['was issued in the future', () => ({ iat: now() + 3_600, exp: now() + 7_200 })],
    ['does not say when it was issued', () => ({ iat: undefined })],
    ['says when it was issued in words', () => ({ iat: 'today' })],
    ['is not good yet', () => ({ nbf: now() + 3_600 })],
    ['answers another question', () => ({ nonce: 'of another browser' })],
    ['answers no question', () => ({ nonce: undefined })],
    ['names nobody', () => ({ sub: undefined })],
    ['names nobody, in words', () => ({ sub: '' })],
    ['names somebody with a character that is none', () => ({ sub: 'ada\u0000' })],
    ['names somebody at great length', () => ({ sub: 'x'.repeat(256) })],
    ['names a number', () => ({ sub: 17 })],
  ];
  it.each(changes)('is refused if it %s', async (_, change) => {
    provider.token = (claims) => signed({ ...claims, ...change(claims) }, key);
    expect(await comeBack()).toBe('unauthenticated');
  });

  it('may be for several if it was made for this one, and may come from a clock that differs by seconds', async () => {
    provider.token = (claims) => signed({ ...claims, aud: ['another', client.id], azp: client.id }, key);
    expect(await comeBack()).toEqual(admitted);
    for (const seconds of [-20, 20]) {
      provider.token = (claims) => signed({ ...claims, iat: now() + seconds }, key);
      expect(await comeBack()).toEqual(admitted);
    }
  });

  const forgeries: [string, (claims: JWTPayload) => string | Promise<string>][] = [
    ['by a stranger who claims the same key', (claims) => signed(claims, stranger)],
    ['by nobody', (claims) => `${encoded({ alg: 'none' })}.${encoded(claims)}.`],
    ['by nobody, in capital letters', (claims) => `${encoded({ alg: 'NONE', kid: 'one' })}.${encoded(claims)}.`],
    [
      'with the public key as if it were a shared secret',
      async (claims) => {
        const text = `${encoded({ alg: 'HS256', kid: 'one' })}.${encoded(claims)}`;
        const pem = await exportSPKI((await importJWK(key.jwk, 'RS256')) as CryptoKey);
        return `${text}.${createHmac('sha256', pem).update(text).digest('base64url')}`;
      },
    ],
    [
      'with the secret of the client',
      (claims) => {
        const text = `${encoded({ alg: 'HS256' })}.${encoded(claims)}`;
        return `${text}.${createHmac('sha256', client.secret).update(text).digest('base64url')}`;
      },
    ],
    [
      'with a key that it brings along',
      async (claims) => {
        const token = await signed(claims, stranger);
        const [, payload, signature] = token.split('.');
        return `${encoded({ alg: 'RS256', jwk: stranger.jwk })}.${payload}.${signature}`;
      },
    ],
    [
      'over other claims',
      async (claims) => {
        const [head, , signature] = (await signed(claims, key)).split('.');
        return `${head}.${encoded({ ...claims, sub: 'the administrator' })}.${signature}`;
      },
    ],
    ['over nothing that can be read', () => 'not.a.token'],
    ['not at all', () => ''],
  ];
  it.each(forgeries)('is refused if it is signed %s', async (_, forge) => {
    provider.token = forge;
    expect(await comeBack()).toBe('unauthenticated');
  });

  it('is refused with a secret that the provider publishes among its keys', async () => {
    const secret = Buffer.alloc(32, 7);
    provider.keys = [{ kty: 'oct', kid: 'secret', alg: 'HS256', k: secret.toString('base64url') }];
    provider.token = (claims) => {
      const text = `${encoded({ alg: 'HS256', kid: 'secret' })}.${encoded(claims)}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const other = await startTestService({ beside: service, environment: environment(await freePort()) });
    try {
      expect(await comeBack(other)).toBe('unauthenticated');
    } finally {
      await other.stop();
    }
  });

  it('is accepted with a key that the provider has just begun to use, and the keys are asked for no more than once a second', async () => {
    expect(await comeBack()).toEqual(admitted);
    const next = await keyPair('next');
    provider.keys = [key.jwk, next.jwk];
    provider.token = (claims) => signed(claims, next);
    await eventually(comeBack, (answer) => typeof answer === 'object');

    const [before, begun] = [provider.asked.get('/jwks') ?? 0, Date.now()];
    const unknown = await keyPair('unknown');
    provider.token = (claims) => signed(claims, unknown);
    for (let i = 0; i < 20; i++) expect(await comeBack()).toBe('unauthenticated');
    const seconds = Math.ceil((Date.now() - begun) / 1_000);
    expect((provider.asked.get('/jwks') ?? 0) - before).toBeLessThanOrEqual(seconds + 1);
  });
});

describe('what else the provider knows of somebody', () => {
  it('counts only if it is about the same person', async () => {
    provider.userInfo = (sub) => ({ sub, name: 'Grace Hopper' });
    const other = await startTestService({ beside: service, environment: environment(await freePort()) });
    try {
      expect(await comeBack(other)).toMatchObject({ displayName: 'Grace Hopper' });
      provider.userInfo = () => ({ sub: 'the administrator', name: 'Root' });
      expect(await comeBack(other)).toBe('unauthenticated');
    } finally {
      await other.stop();
    }
  });
});

describe('a provider that cannot be relied on', () => {
  const endless = (response: { write(text: string): boolean; on(event: string, listener: () => void): unknown }) => {
    const more = () => {
      while (response.write(' '.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  };
  const beside = async (use: (other: TestService) => Promise<void>) => {
    const other = await startTestService({ beside: service, environment: environment(await freePort()) });
    try {
      await use(other);
    } finally {
      await other.stop();
    }
  };
  const options = (at: TestService) => new Visitor(at.url).get('/v1/auth/options');

  it.each([
    ['is another than that of the settings', { issuer: 'https://elsewhere.example.org' }],
    ['tells of no keys', { jwks_uri: undefined }],
  ])('is not used if it %s', (_, metadata) =>
    beside(async (other) => {
      provider.metadata = metadata;
      expect(await comeBack(other)).toBe('unavailable');
      provider.metadata = {};
      expect(await comeBack(other)).toEqual(admitted);
    }),
  );

  it.each(['/.well-known/openid-configuration', '/jwks', '/token'])(
    'is unavailable, and harms nobody else, while %s fails or never ends',
    (path) =>
      beside(async (other) => {
        provider.instead.set(path, (response) => response.writeHead(503).end());
        expect(await comeBack(other)).toBe('unavailable');
        provider.instead.set(path, endless);
        expect(await comeBack(other)).toBe('unavailable');
        expect(outcome(await options(other))).toBe(200);
        provider.instead.delete(path);
        expect(await comeBack(other)).toEqual(admitted);
      }),
  );
});
