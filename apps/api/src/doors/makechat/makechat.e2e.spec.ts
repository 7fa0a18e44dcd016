import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { administrator, startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { cookieOf, freePort, freshName, login, MakechatClient, password, signUp } from './makechat-client.testing.js';

let service: TestService;
let anybody: MakechatClient;
let admin: MakechatClient;

beforeAll(async () => {
  const port = await freePort();
  service = await startTestService({ environment: { MAKECHAT_PORT: `${port}` } });
  anybody = new MakechatClient(`http://127.0.0.1:${port}`);
  admin = await login(anybody, administrator);
});
afterAll(() => service.stop());

const ok = { status: 'ok' };
const hex24 = /^[0-9a-f]{24}$/;

describe('signing up', () => {
  const form = (changes: object = {}) => {
    const username = freshName();
    return { username, email: `${username}@example.org`, password1: password, password2: password, ...changes };
  };
  const refusal = (title: string, description: string) => ({ title, description });

  it('answers 201 and sets a session cookie of 64 hexadecimal digits', async () => {
    const answer = await anybody.post('/api/register', form());
    expect([answer.status, answer.json]).toEqual([201, ok]);
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^session=[0-9a-f]{64}; .*Path=\/; HttpOnly/);
    expect((await anybody.withCookie(cookieOf(answer)).get('/api/ping')).status).toBe(200);
  });

  it.each([
    ['email', 'payload', undefined],
    ['email', 'email', { username: 'a', password1: 'b', password2: 'c' }],
    ['username', 'username', { email: 'a', password1: 'b', password2: 'c' }],
    ['password1', 'password1', { email: 'a', username: 'b', password2: 'c' }],
    ['password2', 'password2', { email: 'a', username: 'b', password1: 'c' }],
  ])('names a field that is missing: %s, %s', async (_, named, body) => {
    const answer = await anybody.post('/api/register', body, { 'content-type': 'application/json' });
    expect(answer.status).toBe(400);
    expect(answer.json).toEqual(refusal('Missing parameter', `The '${named}' parameter is required.`));
  });

  it('refuses in the words and in the order of makechat', async () => {
    const taken = form();
    await anybody.post('/api/register', taken);
    const capital = taken.username.toUpperCase();
    const tries: [object, object][] = [
      [form({ password2: 'another horse' }), refusal('Bad password', 'Passwords do not match.')],
      [form({ username: taken.username }), refusal('Bad username', 'Username is already taken.')],
      [form({ email: taken.email }), refusal('Bad email', 'Email is already taken.')],
      [form({ username: capital, email: taken.email }), refusal('Bad email', 'Email is already taken.')],
      [form({ username: capital }), refusal('Bad username', 'Username is already taken.')],
      [form({ password1: 'ж', password2: 'ж' }), refusal('Bad password symbols', 'Invalid password characters.')],
      [
        form({ username: 'a b' }),
        refusal('Error of user creation', "{'username': 'String value did not match validation regex'}"),
      ],
      [form({ email: 'test@a' }), refusal('Error of user creation', "{'email': 'Invalid Mail-address: test@a'}")],
      [
        form({ username: 'x'.repeat(121) }),
        refusal('Error of user creation', "{'username': 'String value is too long'}"),
      ],
      [
        form({ password1: 'short', password2: 'short' }),
        refusal('Bad password', 'The password must have at least 10 characters.'),
      ],
    ];
    for (const [body, expected] of tries) {
      const answer = await anybody.post('/api/register', body);
      expect([answer.status, answer.json]).toEqual([400, expected]);
    }
  });
});

describe('rooms', () => {
  it('are created by administrators, with the document as the answer', async () => {
    const name = `room ${freshName()}`;
    const made = await admin.post('/api/rooms', { name });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      _id: { $oid: expect.stringMatching(hex24) },
      is_open: true,
      is_visible: true,
      members: [{ $oid: expect.stringMatching(hex24) }],
      name,
      created: { $date: expect.any(Number) },
    });
    const user = await signUp(anybody);
    const listed = (await user.get('/api/rooms')).json;
    expect(listed).toMatchObject({ status: 'ok', next_page: null, prev_page: null, total_pages: '1' });
    expect(listed.items).toContainEqual(made.json);
  });
});
