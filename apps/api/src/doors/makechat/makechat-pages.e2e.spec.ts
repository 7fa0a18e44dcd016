import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { password as nativePassword, openSocket, register } from '../../tests/harness/test-client.testing.js';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { login, MakechatClient } from './makechat-client.testing.js';

let service: TestService;
let anybody: MakechatClient;
let folder: string;

const page = (text: string) => `<!doctype html><title>${text}</title><script>eval('1')</script>`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'makechat-'));
  const custom = join(folder, 'custom');
  await mkdir(join(custom, 'templates'), { recursive: true });
  await mkdir(join(custom, 'news'));
  const files = {
    'login.html': page('a login of our own'),
    'dashboard.html': page('the original dashboard'),
    'templates/rooms.html': 'a template',
    'news/index.html': page('news'),
    'über uns.html': page('about'),
    'app.js': 'alert(1)',
    '.hidden.html': 'hidden',
    '404.html': page('lost and not found'),
    '../secret.html': 'outside',
    'v1.html': 'not the API',
    'api.html': 'not the API',
    'logout.html': 'not the API',
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(custom, name), text);
  await symlink(join(folder, 'secret.html'), join(custom, 'linked.html'));
  await symlink(folder, join(custom, 'up'));
  await symlink(join(custom, 'app.js'), join(custom, 'alias.js'));
  const port = await freePort();
  service = await startTestService({ environment: { MAKECHAT_PORT: `${port}`, MAKECHAT_CUSTOM: custom } });
  anybody = new MakechatClient(`http://127.0.0.1:${port}`);
});
afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

const get = (path: string, headers: Record<string, string> = { accept: 'text/html' }) =>
  anybody.send('GET', path, undefined, headers);

describe('pages of the operator', () => {
  it.each([
    ['/login', 'a login of our own'],
    ['/dashboard', 'the original dashboard'],
    ['/dashboard.html', 'the original dashboard'],
    ['/news', 'news'],
    ['/news/', 'news'],
    ['/templates/rooms.html', 'a template'],
    ['/%C3%BCber%20uns', 'about'],
    ['/app.js?_=1', 'alert'],
    ['/alias.js', 'alert'],
  ])('are at %s, before those of the door', async (path, text) => {
    const answer = await get(path);
    expect([answer.status, answer.headers['content-security-policy']]).toEqual([200, undefined]);
    expect(answer.text).toContain(text);
  });

  it('have the types of their names, and are not sent twice to who has them', async () => {
    const script = await get('/app.js');
    expect(script.headers['content-type']).toMatch(/javascript/);
    const again = await get('/app.js', { 'if-none-match': String(script.headers.etag) });
    expect(again.status).toBe(304);
    expect((await anybody.send('HEAD', '/app.js')).headers['content-length']).toBe('8');
  });

  it.each([
    '/../secret.html',
    '/..%2fsecret.html',
    '/%2e%2e/secret.html',
    '/templates/..%2f..%2fsecret.html',
    '/..%5csecret.html',
    '/linked.html',
    '/linked',
    '/up/secret.html',
    '/.hidden.html',
    '/app.js%00.html',
    '/app.js/',
    '/%ff',
    '/%',
    '/templates',
    '//etc/passwd',
  ])('are never outside of the folder, or hidden: %s', async (path) => {
    const answer = await get(path);
    if (path === '/app.js/') expect(answer.text).toContain('alert');
    else expect([400, 404]).toContain(answer.status);
    expect(answer.text).not.toMatch(/outside|root:|hidden/);
  });

  it('are not where the API is', async () => {
    expect((await get('/api', {})).json.title).toBe('Not Found');
    expect((await get('/logout', {})).json).toEqual({ status: 'ok' });
    expect((await anybody.post('/login', {})).status).toBe(405);
  });
});

describe('a front end of the operator', () => {
  it.each(['/login', '/register'])('has %s at one address', async (path) => {
    const answer = await get(`${path}/`);
    expect([answer.status, answer.headers.location]).toEqual([301, path]);
  });

  it('says itself that there is nothing, to people and not to programs', async () => {
    const answer = await get('/no/such/page');
    expect(answer.status).toBe(404);
    expect(answer.text).toContain('lost and not found');
    expect((await get('/no/such/script.js', { accept: 'text/javascript' })).text).not.toContain('lost');
    expect((await get('/api/nowhere', {})).json.title).toBe('Not Found');
  });
});

describe('pages of the door', () => {
  it('are for those without pages of their own, under a strict policy', async () => {
    const answer = await get('/register');
    expect(answer.text).toContain('<form');
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect((await get('/makechat/pages.js')).headers['content-type']).toMatch(/javascript/);
  });

  it('lead to the dashboard', async () => {
    expect((await get('/')).headers.location).toBe('/dashboard');
    expect((await get('/makechat/admin')).headers.location).toBe('/makechat/admin/');
    const dashboard = await get('/makechat/admin/');
    expect(dashboard.text).toContain('<title>Verbatim</title>');
    const [script] = /\/admin\/_next\/[^"]+\.js/.exec(dashboard.text) ?? [];
    expect((await get(script ?? '')).status).toBe(200);
  });

  it('end the session of a person who opens /logout', async () => {
    const user = await login(anybody, administrator);
    const out = await user.send('GET', '/logout', undefined, { accept: 'text/html,*/*;q=0.8' });
    expect([out.status, out.headers.location]).toEqual([302, '/login']);
    expect((await user.get('/api/ping')).status).toBe(401);
  });

  it('say that there is nothing', async () => {
    const answer = await get('/nothing');
    expect([answer.status, answer.headers['content-type']]).toEqual([404, 'text/html; charset=utf-8']);
  });
});

describe('the native API, for the dashboard', () => {
  it('answers at this port too, calls and sockets', async () => {
    const { username } = await register(service.url);
    const signedIn = await anybody.post('/v1/auth/login', { username, password: nativePassword });
    expect(signedIn.json.user.username).toBe(username);
    const authorization = `Bearer ${signedIn.json.accessToken}`;
    const { json } = await anybody.post('/v1/auth/ticket', undefined, { authorization, 'content-length': '0' });
    const socket = openSocket(anybody.url, { ticket: json.ticket });
    expect((await socket.next('hello')).data.user.username).toBe(username);
    socket.close();
    expect((await get('/v1/nothing', {})).json.code).toBe('not_found');
    expect((await get('/health/ready', {})).status).toBe(200);
  });
});
