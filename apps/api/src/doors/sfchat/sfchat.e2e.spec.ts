import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../tests/harness/free-port.testing.js';
import { signIn } from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { type ChatMember, FormVisitor, figureOf, idsIn, optionOf, textsIn } from './sfchat-client.testing.js';

/** Machines may be busy. */
const soon = { timeout: 15_000 };

const hex24 = /^[0-9a-f]{24}$/;
const done = { status: 202, body: { results: { code: 200, msg: 'Ok' } } };

let service: TestService;
let other: TestService;
let url: string;
/** The same door at the other replica. */
let elsewhere: string;
const now = Date.parse('2026-03-01T12:00:00Z');

beforeAll(async () => {
  const clock = () => new Date(now);
  const [port, otherPort] = [await freePort(), await freePort()];
  const environment = { SFCHAT_PORT: `${port}`, ALLOWED_ORIGINS: 'https://chat.example.org' };
  service = await startTestService({ clock, environment });
  const measured = { SFCHAT_PORT: `${otherPort}`, SFCHAT_TRACKING_ID: 'UA-12345-1' };
  other = await startTestService({ clock, beside: service, environment: measured });
  url = `http://127.0.0.1:${port}`;
  elsewhere = `http://127.0.0.1:${otherPort}`;
});
afterAll(async () => {
  await other?.stop();
  await service?.stop();
});

/** A chat with both people in it, who have confirmed what the system told them; the second is at the other replica. */
async function readyChat(): Promise<{ ada: ChatMember; bob: ChatMember }> {
  const ada = await new FormVisitor(url).create();
  const bob = await new FormVisitor(elsewhere).join(ada.code);
  await ada.confirmAll();
  await bob.confirmAll();
  return { ada, bob };
}

describe('opening and joining', () => {
  it('gives the creator a draft with one message, which names the code', async () => {
    const ada = await new FormVisitor(url).create();
    expect(ada.code).toMatch(hex24);
    expect(ada.token).toMatch(hex24);
    const { status, body, headers } = await ada.poll();
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toContain('no-store');
    expect(headers.get('content-type')).toContain('application/json');
    expect(body).toEqual({
      results: {
        code: 200,
        msg: 'Ok',
        count: 1,
        status: 'draft',
        messages: [
          {
            _id: expect.stringMatching(hex24),
            msg: `Welcome to SFChat! <br> Please send code: <mark>${ada.code}</mark> to Talker`,
            system: true,
          },
        ],
      },
    });
  });

  it('lets in one person, once', async () => {
    const ada = await new FormVisitor(url).create();
    await ada.confirmAll();
    const bob = await new FormVisitor(elsewhere).join(ada.code);
    const [told, welcomed] = [await ada.poll(), await bob.poll()];
    expect([told.body.results.status, textsIn(told)]).toEqual(['ready', ['Talker was successfully joined to chat']]);
    expect([welcomed.body.results.status, textsIn(welcomed)]).toEqual(['ready', ['Chat is ready to use']]);
    const third = await new FormVisitor(url).post('/', { chat_token: ada.code });
    expect([third.status, third.text]).toEqual([200, expect.stringContaining('<li>Invalid code.</li>')]);
    const guess = await new FormVisitor(url).post('/', { chat_token: '0'.repeat(24) });
    expect(guess.text).toContain('<li>Invalid code.</li>');
    const nothing = await new FormVisitor(url).post('/', { chat_token: ' ' });
    expect(nothing.text).toContain('<li>This field is required.</li>');
  });

  it('lets in one of two who come at the same moment at two replicas', async () => {
    const ada = await new FormVisitor(url).create();
    const visitors = [url, elsewhere, url, elsewhere].map((place) => new FormVisitor(place));
    const answers = await Promise.all(visitors.map((visitor) => visitor.post('/', { chat_token: ada.code })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 200, 302]);
    expect(textsIn(await ada.look())).toHaveLength(2);
  });

  it('admits no one to a draft that its creator has closed', async () => {
    const ada = await new FormVisitor(url).create();
    expect(await ada.leave()).toMatchObject(done);
    const closed = await ada.poll();
    expect([closed.body.results.status, textsIn(closed).at(-1)]).toEqual([
      'closed',
      'Thank you for using SFChat<br>Current chat was successfully closed.',
    ]);
    const late = await new FormVisitor(url).post('/', { chat_token: ada.code });
    expect(late.text).toContain('<li>Invalid code.</li>');
  });

  it('hands the token over once: a reload of the page does not show it, nor does a stranger', async () => {
    const visitor = new FormVisitor(url);
    const created = await visitor.post('/create-chat/');
    expect(created.status).toBe(301);
    const path = created.headers.get('location') ?? '';
    expect(path).toMatch(/^\/chat\/[0-9a-f]{24}$/);
    const first = await visitor.get(path);
    expect(optionOf(first.text, 'userToken')).toMatch(hex24);
    expect(optionOf(first.text, 'chatStatus')).toBe('draft');
    expect(optionOf(first.text, 'endPoint')).toBe(`${url.replace('http:', '')}/api`);
    expect(optionOf((await visitor.get(path)).text, 'userToken')).toBe('False');
    expect(optionOf((await new FormVisitor(url).get(path)).text, 'userToken')).toBe('False');
  });
});

describe('maintenance', () => {
  it('stops new chats, and leaves those alone that are going on', async () => {
    const { ada, bob } = await readyChat();
    const admin = await signIn(service.url);
    await admin.put('/v1/maintenance', { text: 'Back soon.' });
    expect((await new FormVisitor(url).post('/create-chat/')).status).toBe(503);
    expect(await ada.say('still here')).toMatchObject(done);
    expect(textsIn(await bob.poll())).toEqual(['still here']);
    await admin.delete('/v1/maintenance');
    expect((await new FormVisitor(url).post('/create-chat/')).status).toBe(301);
  });
});

describe('talking', () => {
  it('brings a text to the other only, again and again until it is confirmed', async () => {
    const { ada, bob } = await readyChat();
    expect(await ada.say('Grüße 你好 مرحبا', 'and <b>again</b>')).toMatchObject(done);
    expect(textsIn(await ada.look())).toEqual([]);
    const first = await bob.poll();
    expect(textsIn(first)).toEqual(['Grüße 你好 مرحبا', 'and <b>again</b>']);
    expect((await bob.poll()).body).toEqual(first.body);
    // A participant cannot confirm what is the other's.
    expect(await ada.confirm(...idsIn(first))).toMatchObject(done);
    expect((await bob.at(url).poll()).body).toEqual(first.body);
    for (let times = 0; times < 2; times++) expect(await bob.confirm(...idsIn(first))).toMatchObject(done);
    expect(textsIn(await bob.look())).toEqual([]);
    expect(await bob.confirm('0'.repeat(24))).toMatchObject(done);
  });

  it('wakes a poll at the other replica', async () => {
    const { ada, bob } = await readyChat();
    const polled = bob.poll();
    await expect.poll(() => figureOf(other.url, 'verbatim_sfchat_polls'), soon).toBe(1);
    const began = performance.now();
    await ada.say('hello');
    expect(textsIn(await polled)).toEqual(['hello']);
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('counts 144 characters as code points', async () => {
    const { ada, bob } = await readyChat();
    const bad = { status: 400, body: { results: { code: 400, msg: 'Malformed request.' } } };
    expect(await ada.say('x'.repeat(145))).toMatchObject(bad);
    expect(await ada.say('fine', '')).toMatchObject(bad);
    expect(await ada.say()).toMatchObject(bad);
    expect(await ada.say('😀'.repeat(144))).toMatchObject(done);
    expect(textsIn(await bob.poll())).toEqual(['😀'.repeat(144)]);
  });

  it('refuses a text while the other is absent, and after the end', async () => {
    const ada = await new FormVisitor(url).create();
    expect(await ada.say('anybody?')).toMatchObject({ status: 400 });
    const { ada: eve, bob } = await readyChat();
    await bob.leave();
    expect(await eve.say('wait')).toMatchObject({ status: 403 });
  });
});

describe('the end', () => {
  it('brings status and text in one answer, on both replicas, and still takes confirmations', async () => {
    const { ada, bob } = await readyChat();
    await ada.say('one last thing');
    const unread = idsIn(await bob.look());
    const polled = ada.poll();
    await expect.poll(() => figureOf(service.url, 'verbatim_sfchat_polls'), soon).toBe(1);
    expect(await bob.leave()).toMatchObject(done);
    const [told, own] = [await polled, await bob.poll()];
    expect([told.body.results.status, textsIn(told)]).toEqual([
      'closed',
      ['Thank you for using SFChat.<br> Chat was successfully closed by Talker.'],
    ]);
    expect([own.body.results.status, textsIn(own)]).toEqual([
      'closed',
      ['one last thing', 'Thank you for using SFChat<br>Current chat was successfully closed.'],
    ]);
    expect(await bob.confirm(...unread)).toMatchObject(done);
    expect(await bob.leave()).toMatchObject(done);
    expect(textsIn(await bob.look())).toHaveLength(1);
    const page = await new FormVisitor(url).get(`/chat/${ada.code}`);
    expect([page.status, page.headers.get('location')]).toEqual([302, '/']);
  });
});

describe('the pages', () => {
  it('run scripts under a nonce that is another one each time, and are kept by nobody', async () => {
    const ada = await new FormVisitor(url).create();
    const nonces = new Set<string>();
    for (const path of ['/', '/', `/chat/${ada.code}`]) {
      const { headers, text } = await new FormVisitor(url).get(path);
      const policy = headers.get('content-security-policy') ?? '';
      const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? '';
      nonces.add(nonce);
      expect(policy).toContain('report-uri /csp-report/');
      expect(policy).not.toContain('unsafe');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-frame-options')).toBe('DENY');
      for (const [script] of text.matchAll(/<script[^>]*>/g)) expect(script).toContain(`nonce="${nonce}"`);
      expect(text).not.toMatch(/google-analytics/);
    }
    expect(nonces.size).toBe(3);
  });

  it("have what SFChat's scripts and tests look for", async () => {
    const ada = await new FormVisitor(url).create();
    const { text } = await new FormVisitor(url).get(`/chat/${ada.code}`);
    expect(text).toContain('<div id="chat-body" role="log" aria-label="Messages" tabindex="0"></div>');
    expect(text).toMatch(/<textarea id="id_chat_type"[^>]* disabled><\/textarea>/);
    expect(text).toContain('<button type="button" class="btn btn-green btn-grey">send message</button>');
    expect(optionOf(text, 'targetError')).toBe('#error-general');
    const home = await new FormVisitor(url).get('/');
    expect(home.text).toContain('<title>SFChat - Secure Free Chat</title>');
    for (const id of ['create_chat', 'join_chat', 'id_chat_token', 'contact', 'copyright'])
      expect(home.text).toContain(`id="${id}"`);
    for (const [path, title] of [
      ['/privacy.html', 'SFChat: Privacy'],
      ['/faq.html', 'SFChat: FAQ'],
      ['/license.html', 'SFChat: License'],
    ] as const)
      expect((await new FormVisitor(url).get(path)).text).toContain(`<title>${title}</title>`);
    expect((await new FormVisitor(url).get('/robots.txt')).text).toContain(`Sitemap: ${url}/sitemap.xml`);
    expect((await new FormVisitor(url).get('/sitemap.xml')).text).toContain(`<loc>${url}/faq.html</loc>`);
    expect((await new FormVisitor(url).get(`/chat/${'0'.repeat(24)}`)).status).toBe(404);
  });

  it('have analytics only where the operator wants them, and never in a chat', async () => {
    const ada = await new FormVisitor(elsewhere).create();
    const [home, chat] = [
      await new FormVisitor(elsewhere).get('/'),
      await new FormVisitor(elsewhere).get(`/chat/${ada.code}`),
    ];
    expect([optionOf(home.text, 'debugMode'), optionOf(home.text, 'trackingId')]).toEqual(['False', 'UA-12345-1']);
    expect(home.headers.get('content-security-policy')).toContain('https://www.google-analytics.com');
    expect([optionOf(chat.text, 'debugMode'), optionOf(chat.text, 'trackingId')]).toEqual(['True', '']);
    expect(chat.headers.get('content-security-policy')).not.toContain('google');
    expect(optionOf((await new FormVisitor(url).get('/')).text, 'trackingId')).toBe('');
  });

  it('take forms only from themselves', async () => {
    const visitor = new FormVisitor(url);
    await visitor.get('/');
    for (const body of ['', 'csrfmiddlewaretoken=', `csrfmiddlewaretoken=${'0'.repeat(32)}`]) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const refused = await visitor.send('/create-chat/', { method: 'POST', body, headers });
      expect([refused.status, refused.headers.get('location')]).toEqual([403, null]);
    }
  });

  it('have reports about their policy taken', async () => {
    const send = (body: string, type = 'application/csp-report') =>
      fetch(`${url}/csp-report/`, { method: 'POST', body, headers: { 'content-type': type } });
    const report = JSON.stringify({ 'csp-report': { 'document-uri': url, 'blocked-uri': 'https://example.org/x.js' } });
    expect((await send(report)).status).toBe(204);
    for (const refused of [send(report, 'application/json'), send('{}'), send('hello')])
      expect((await refused).status).toBe(400);
  });
});

describe('the address of the API', () => {
  it.each(['/api/v1/messages.json', '/api/v1/messages', '/api/messages.json', '/api/v9/messages'])(
    'may be %s, with the version in a header',
    async (path) => {
      const ada = await new FormVisitor(url).create();
      const headers: Record<string, string> = /v1/.test(path) ? {} : { 'x-sfc-version': 'v1' };
      expect((await ada.call('GET', path, undefined, headers)).status).toBe(200);
    },
  );

  it('is open to pages of other origins only if these are allowed', async () => {
    const ask = (origin: string) =>
      fetch(`${url}/api/v1/messages.json`, {
        method: 'OPTIONS',
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'x-sfc-usertoken',
        },
      });
    const allowed = await ask('https://chat.example.org');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://chat.example.org',
    ]);
    expect(allowed.headers.get('access-control-allow-headers')).toContain('x-sfc-usertoken');
    const other = await ask('https://evil.example.org');
    expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([405, null]);
  });
});
