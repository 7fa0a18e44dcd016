import request from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf, exchange } from '../../tests/bad-input/raw-http.testing.js';
import { openSocket, register, type TestPerson } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';

const friend = 'https://friend.example.org';
const stranger = 'https://stranger.example.org';

let service: TestService;
let ada: TestPerson;
beforeAll(async () => {
  service = await startTestService({ environment: { ALLOWED_ORIGINS: friend } });
  ada = await register(service.url);
});
afterAll(() => service.stop());

const upgrade = (headers: Record<string, string>) => {
  const all = { upgrade: 'websocket', connection: 'upgrade', 'sec-websocket-version': '13', ...headers };
  const key = { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
  return exchange(
    service.url,
    bytesOf({ method: 'GET', target: '/v1/ws', headers: Object.entries({ ...all, ...key }) }),
  );
};

describe('a socket', () => {
  it.each([stranger, 'null', 'https://friend.example.org.stranger.example.org', 'http://friend.example.org'])(
    'is refused to pages of %s, before anything else',
    async (origin) => {
      const { answer } = await upgrade({ origin });
      expect([answer?.status, JSON.parse(answer?.body ?? '').code]).toEqual([403, 'forbidden']);
      expect(answer?.headers.get('content-type')).toContain('application/problem+json');
      const socket = openSocket(service.url, { ticket: await ada.ticket(), origin });
      expect(await socket.closed).toBe(1006);
      expect(socket.frames).toEqual([]);
    },
  );

  it('is refused to a request with two hosts', async () => {
    const { answer } = await upgrade({ host: 'chat.example.org', Host: 'other.example.org' });
    expect([answer?.status, JSON.parse(answer?.body ?? '').code]).toEqual([400, 'invalid_request']);
  });

  it('is open to pages of its own and of allowed origins, and to programs without one', async () => {
    for (const origin of [service.url, friend, undefined]) {
      const socket = openSocket(service.url, { ticket: await ada.ticket(), ...(origin && { origin }) });
      await socket.next('hello');
      socket.close();
      await socket.closed;
    }
  });

  it('is never compressed, whatever the client offers', async () => {
    const socket = openSocket(service.url, { ticket: await ada.ticket(), perMessageDeflate: true });
    await socket.next('hello');
    expect(socket.socket.extensions).toBe('');
    socket.close();
  });
});

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    request(service.url)
      .options('/v1/rooms')
      .set({ origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' });

  it('may ask what an allowed one may send', async () => {
    const { status, headers, text } = await preflight(friend);
    expect([status, text]).toEqual([204, '']);
    expect(headers).toMatchObject({ 'access-control-allow-origin': friend, vary: 'origin' });
    expect(headers['access-control-allow-methods']?.split(', ').sort()).toEqual([
      'DELETE',
      'GET',
      'PATCH',
      'POST',
      'PUT',
    ]);
    expect(headers['access-control-allow-headers']?.split(', ').sort()).toEqual([
      'authorization',
      'content-type',
      'idempotency-key',
      'verbatim-position',
      'verbatim-reason',
    ]);
    expect(headers['access-control-max-age']).toBe('600');
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
  });

  it('may send cookies to single sign-on only, which has the only ones', async () => {
    const credentials = async (path: string, origin = friend) =>
      (await request(service.url).get(path).set({ origin })).headers['access-control-allow-credentials'];
    for (const path of ['/v1/auth/sso', '/v1/auth/sso?return=', '/v1/auth/sso/session'])
      expect(await credentials(path)).toBe('true');
    for (const path of ['/v1/me', '/v1/auth/login', '/v1/auth/ssox']) expect(await credentials(path)).toBeUndefined();
    expect(await credentials('/v1/auth/sso', stranger)).toBeUndefined();
  });

  it('is turned away when it is not allowed', async () => {
    const { status, headers, body } = await preflight(stranger);
    expect([status, body.code]).toEqual([403, 'forbidden']);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('gets to read answers, refusals as well, only when it is allowed', async () => {
    for (const path of ['/v1/about', '/v1/me', '/v1/nowhere']) {
      const [allowed, refused] = [
        await request(service.url).get(path).set({ origin: friend }),
        await request(service.url).get(path).set({ origin: stranger }),
      ];
      expect(allowed.headers['access-control-allow-origin']).toBe(friend);
      for (const name of ['allow', 'content-disposition', 'retry-after', 'verbatim-position', 'www-authenticate'])
        expect(allowed.headers['access-control-expose-headers']?.split(', ')).toContain(name);
      expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    }
  });
});

describe('every answer', () => {
  it.each([
    '/v1/about',
    '/v1/me',
    '/v1/nowhere',
    '/openapi.json',
    '/health/live',
    '/docs',
    '/admin/',
    '/docs/start.js',
  ])('of %s stops browsers from sniffing, framing and sending referrers', async (path) => {
    const { headers } = await request(service.url).get(path);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers['permissions-policy']).toContain('camera=()');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('strict-transport-security');
  });

  it('of the API is kept by nobody', async () => {
    for (const path of ['/v1/me', '/v1/about', '/v1/nowhere'])
      expect((await ada.get(path)).headers['cache-control']).toBe('no-store');
    const signedIn = await ada.post('/v1/auth/ticket');
    expect(signedIn.headers['cache-control']).toBe('no-store');
  });
});

describe('pages', () => {
  const policyOf = async (path: string): Promise<Map<string, string[]>> => {
    const { headers } = await request(service.url).get(path);
    const parts = headers['content-security-policy']?.split(';').map((part) => part.split(' ')) ?? [];
    return new Map(parts.map(([name = '', ...values]) => [name, values]));
  };

  it('run only scripts that come from here or are known by their hash', async () => {
    for (const path of ['/docs', '/admin/']) {
      const scripts = (await policyOf(path)).get('script-src') ?? [];
      expect(scripts[0]).toBe("'self'");
      for (const other of scripts.slice(1)) expect(other).toMatch(/^'sha256-[A-Za-z0-9+/]{43}='$/);
    }
    expect((await policyOf('/docs')).get('script-src')).toEqual(["'self'"]);
    expect((await policyOf('/docs')).get('style-src')).toEqual(["'self'"]);
    expect((await policyOf('/admin/')).get('style-src')).toContain("'unsafe-inline'");
  });

  it('of the dashboard have a hash for each script written into them', async () => {
    const { text } = await request(service.url).get('/admin/');
    const inline = [...text.matchAll(/<script(?:\s[^>]*)?>(.*?)<\/script>/gs)].flatMap(([, script]) => script || []);
    const scripts = (await policyOf('/admin/')).get('script-src') ?? [];
    expect(inline.length).toBeGreaterThan(0);
    for (const script of inline) {
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(script));
      expect(scripts).toContain(`'sha256-${Buffer.from(digest).toString('base64')}'`);
    }
  });
});

describe('behind a proxy that is trusted', () => {
  let behind: TestService;
  beforeAll(async () => {
    behind = await startTestService({ beside: service, environment: { TRUST_PROXY: '1' } });
  });
  afterAll(() => behind.stop());

  it('https is asked for from then on, when it is https that leads here', async () => {
    const https = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'chat.example.org' };
    const about = () => request(behind.url).get('/v1/about');
    expect((await about().set(https)).headers['strict-transport-security']).toMatch(/^max-age=31536000/);
    expect((await about()).headers).not.toHaveProperty('strict-transport-security');
  });

  it('the own origin is that of the address that people see', async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'chat.example.org' };
    const options = { headers };
    const own = openSocket(behind.url, { ticket: await ada.ticket(), ...options, origin: 'https://chat.example.org' });
    await own.next('hello');
    own.close();
    const other = openSocket(behind.url, { ticket: await ada.ticket(), ...options, origin: 'http://chat.example.org' });
    expect(await other.closed).toBe(1006);
  });
});
