import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../config.js';
import { holdToContract, neverSeen, outcome } from '../../tests/harness/contract.testing.js';
import { freePort } from '../../tests/harness/free-port.testing.js';
import {
  freshName,
  password,
  register,
  signIn,
  type TestPerson,
  Visitor,
} from '../../tests/harness/test-client.testing.js';
import { startTestService, type TestService } from '../../tests/harness/test-service.testing.js';
import { Authenticator } from '../sessions/authenticator.testing.js';
import { Browser, type Claims, client, TestProvider } from './provider.testing.js';

/** Another origin that has the dashboard too. */
const friend = 'https://friend.example.org';

let provider: TestProvider;
let service: TestService;
let visitor: Visitor;
let admin: TestPerson;
let browser: Browser;
/** Seconds by which the service's clock is ahead. */
let ahead = 0;

const settings = (port: number, issuer: string) => ({
  PORT: `${port}`,
  OIDC_ISSUER: issuer,
  OIDC_CLIENT_ID: client.id,
  OIDC_CLIENT_SECRET: client.secret,
  OIDC_REDIRECT_URI: `http://127.0.0.1:${port}/v1/auth/sso/callback`,
  OIDC_SCOPES: 'openid email profile groups',
  OIDC_ROLE_CLAIM: 'groups',
  OIDC_ADMIN_VALUE: 'chat-admins',
  OIDC_AUDITOR_VALUE: 'chat-auditors',
  OIDC_LABEL: 'Example Corp',
  ALLOWED_ORIGINS: friend,
});

let environment: ReturnType<typeof settings>;

beforeAll(async () => {
  const port = await freePort();
  provider = await TestProvider.start(`http://127.0.0.1:${port}/v1/auth/sso/callback`);
  environment = settings(port, provider.issuer);
  service = await startTestService({ environment, clock: () => new Date(Date.now() + ahead * 1_000) });
  visitor = new Visitor(service.url);
  admin = await signIn(service.url);
});
afterAll(async () => {
  await service.stop();
  await provider.stop();
});
beforeEach(() => {
  browser = new Browser();
});

const at = (path: string) => `${service.url}${path}`;

async function held(method: string, path: string, response: Response) {
  const text = await response.text();
  const body = text && response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined;
  const answer = { status: response.status, headers: Object.fromEntries(response.headers), text, body };
  holdToContract(method, path, answer);
  return answer;
}

/** Goes to the provider and back; answers the code, or the refusal. */
async function comeBack(claims: Claims | null): Promise<{ code: string } | { refused: string | number }> {
  provider.next = claims;
  const end = await browser.follow(at('/v1/auth/sso'), at('/admin/'));
  if (typeof end !== 'string') return { refused: outcome(await held('GET', '/v1/auth/sso/callback', end)) };
  expect(end.split('#')[0]).toBe(at('/admin/'));
  return { code: /#sso-code=([\w-]{43})$/.exec(end)?.[1] ?? '' };
}

const exchange = async (code: string, from = browser) =>
  held('POST', '/v1/auth/sso/session', await from.post(at('/v1/auth/sso/session'), { code }));

/** Signs in at the provider, and then here. */
async function enter(claims: Claims) {
  const came = await comeBack(claims);
  if ('refused' in came) throw new Error(`refused: ${came.refused}`);
  const answer = await exchange(came.code);
  if (answer.status !== 200) throw new Error(answer.text);
  return answer.body;
}

/** Another replica. */
const beside = (registration: string) =>
  startTestService({ beside: service, environment: { ...environment, PORT: '0', REGISTRATION: registration } });

const person = (more: Partial<Claims> = {}): Claims => {
  const name = freshName();
  return { sub: `sub-${name}`, preferred_username: name, name: `The ${name}`, ...more };
};

describe('signing in at an identity provider', () => {
  it('is offered, by a name', async () => {
    expect((await visitor.get('/v1/auth/options')).body).toEqual({
      registration: 'open',
      singleSignOn: { label: 'Example Corp' },
    });
  });

  it('makes an account the first time, and finds it again by the subject alone', async () => {
    const claims = person({ email: 'grace@example.org', email_verified: true });
    const first = await enter(claims);
    expect(first.user).toMatchObject({
      username: claims.preferred_username,
      displayName: claims.name,
      email: 'grace@example.org',
      role: 'user',
    });
    browser = new Browser();
    const second = await enter({ sub: claims.sub, preferred_username: 'renamed', email: 'other@example.org' });
    expect(second.user.id).toBe(first.user.id);
    const authorization = `Bearer ${second.accessToken}`;
    expect((await visitor.get('/v1/me/sessions', { authorization })).body.items[0].how).toBe('sso');
    const types = (await visitor.get('/v1/me/events', { authorization })).body.items.map(
      ({ type }: { type: string }) => type,
    );
    expect(types).toEqual(['UserRegistered', 'IdentityLinked', 'SessionStarted', 'SessionStarted']);
  });

  it('gives somebody whose name is taken another', async () => {
    const ada = await register(service.url);
    const { user } = await enter(person({ preferred_username: ada.username.toUpperCase() }));
    expect(user.username).toBe(`${ada.username}2`);
  });

  it('lets nobody sign in with a password to an account without one', async () => {
    const { user } = await enter(person());
    const login = await visitor.post('/v1/auth/login', { username: user.username, password: 'null' });
    expect(outcome(login)).toBe('unauthenticated');
  });

  it('makes no account in maintenance, but finds those that are there and gives them their role', async () => {
    const [claims, later] = ['early.bird', 'late.bird'].map((name) => ({ sub: name, preferred_username: name })) as [
      Claims,
      Claims,
    ];
    const { user } = await enter(claims);
    await admin.put('/v1/maintenance', {});
    browser = new Browser();
    expect((await enter({ ...claims, groups: ['chat-auditors'] })).user).toMatchObject({
      id: user.id,
      role: 'auditor',
    });
    browser = new Browser();
    expect(await comeBack(later)).toEqual({ refused: 'maintenance' });
    await admin.delete('/v1/maintenance');
    browser = new Browser();
    expect((await enter(later)).user.username).toBe(later.preferred_username);
  });

  it('makes no account where registration is not open, but finds those that are there', async () => {
    const claims = person();
    await enter(claims);
    const closed = await beside('closed');
    try {
      expect(outcome(await comeBackTo(closed, person()))).toBe('forbidden');
      expect(outcome(await comeBackTo(closed, claims))).toBe(302);
    } finally {
      await closed.stop();
    }
  });

  it('makes an account for one person where that takes an invitation, and for nobody without', async () => {
    const inviting = await beside('invite');
    try {
      const { code, id } = (await admin.post('/v1/invitations', { uses: 1 })).body;
      const [grace, late] = [person(), person()];
      expect(outcome(await comeBackTo(inviting, grace))).toBe('forbidden');
      expect(outcome(await comeBackTo(inviting, grace, 'a'.repeat(32)))).toBe('forbidden');
      expect(outcome(await comeBackTo(inviting, grace, code))).toBe(302);
      expect(outcome(await comeBackTo(inviting, late, code))).toBe('forbidden');
      // Who has an account needs none.
      expect(outcome(await comeBackTo(inviting, grace, code))).toBe(302);
      expect(outcome(await comeBackTo(inviting, grace))).toBe(302);
      const { items } = (await admin.get('/v1/invitations')).body;
      expect(items.find((one: { id: string }) => one.id === id)).toMatchObject({ used: 1 });
    } finally {
      await inviting.stop();
    }
  });

  /** Goes to the provider from another replica and back there. */
  async function comeBackTo({ url }: TestService, claims: Claims, invitation?: string) {
    const browserThere = new Browser();
    provider.next = claims;
    const start = `${url}/v1/auth/sso`;
    const place =
      invitation === undefined
        ? (await browserThere.get(start)).headers.get('location')
        : (await held('POST', '/v1/auth/sso', await browserThere.post(start, { invitation }))).body.address;
    const end = await browserThere.follow(place ?? '', at('/v1/auth/sso/callback'));
    // The provider knows one address of the service; a proxy would lead it to either replica.
    return held('GET', '/v1/auth/sso/callback', await browserThere.get(String(end).replace(service.url, url)));
  }
});

describe('an e-mail address that the provider has verified', () => {
  const address = () => `${freshName()}@example.org`;
  const verified = (email: string, more: Partial<Claims> = {}) => person({ email, email_verified: true, ...more });
  const named = async (email: string) => {
    const username = freshName();
    const { body } = await visitor.post('/v1/auth/register', { username, password, email });
    return { username, id: body.user.id as string, authorization: `Bearer ${body.accessToken}` };
  };
  const made = async (email: string, more: object = {}) =>
    (await admin.post('/v1/users', { username: freshName(), email, ...more })).body;
  const enterAnew = (claims: Claims) => {
    browser = new Browser();
    return enter(claims);
  };
  const emailEvents = async (id: string) =>
    (await admin.all(`/v1/users/${id}/events`))
      .filter(({ type }) => type === 'UserEmailChanged')
      .map(({ data }) => data);

  it('gives its owner an account of their own, whoever named it before, and others lose it, which is recorded', async () => {
    const email = address();
    const [squatter, another, left] = [
      await named(email),
      await named(` ${email.toUpperCase()}\u00a0`),
      await named(email),
    ];
    await admin.patch(`/v1/users/${left.id}`, { deactivated: true });
    const claims = verified(email);
    const { user, accessToken } = await enterAnew(claims);

    expect(user).toMatchObject({ username: claims.preferred_username, displayName: claims.name, email });
    expect([squatter.id, another.id, left.id]).not.toContain(user.id);
    for (const { id } of [squatter, another, left]) {
      expect((await admin.get(`/v1/users/${id}`)).body.email).toBeNull();
      expect(await emailEvents(id)).toEqual([{ email: null, how: 'claimed' }]);
    }
    // The holder of the account goes on using it, and finds in its events what happened.
    const { authorization } = squatter;
    expect((await visitor.get('/v1/me', { authorization })).body).toMatchObject({ id: squatter.id, email: null });
    expect((await visitor.get('/v1/me/events', { authorization })).body.items).toContainEqual(
      expect.objectContaining({ type: 'UserEmailChanged', data: { email: null, how: 'claimed' }, actor: null }),
    );
    expect((await enterAnew(claims)).user.id).toBe(user.id);
    expect(outcome(await visitor.get('/v1/me', { authorization: `Bearer ${accessToken}` }))).toBe(200);
  });

  it('takes it from accounts that name it later, at the next sign-in', async () => {
    const claims = verified(address());
    const { user } = await enterAnew(claims);
    const squatter = await named(claims.email as string);
    expect((await enterAnew(claims)).user).toMatchObject({ id: user.id, email: claims.email });
    expect((await admin.get(`/v1/users/${squatter.id}`)).body.email).toBeNull();
  });

  it.each([
    ['false', { email_verified: false }],
    ['not said', {}],
    ['a text', { email_verified: 'true' }],
    ['a number', { email_verified: 1 }],
  ])('counts for nothing where "verified" is %s', async (_, more) => {
    const [theirs, reserved] = [address(), address()];
    const account = await named(theirs);
    const { user: waiting } = await made(reserved);
    for (const email of [theirs, reserved]) {
      const { user } = await enterAnew(person({ email, ...more }));
      expect([account.id, waiting.id]).not.toContain(user.id);
      expect(user.email).toBeNull();
    }
    expect((await admin.get(`/v1/users/${account.id}`)).body.email).toBe(theirs);
  });

  it('opens the account that an administrator made for it, and nothing else opens that any more', async () => {
    const email = `Zoë.${address()}`;
    const { user: account, passwordReset } = await made(email, { displayName: 'Zoë from Sales', role: 'auditor' });
    await visitor.post('/v1/auth/reset', { token: passwordReset.token, newPassword: password });
    const holder = await signIn(service.url, { username: account.username, password });
    await Authenticator.setUp(holder, () => new Date(Date.now() + ahead * 1_000));
    await named(email);
    const { user, accessToken } = await enterAnew(verified(email.toUpperCase()));

    expect(user).toMatchObject({ id: account.id, displayName: 'Zoë from Sales', email });
    expect(outcome(await holder.get('/v1/me'))).toBe('unauthenticated');
    const login = await visitor.post('/v1/auth/login', { username: account.username, password });
    expect(outcome(login)).toBe('unauthenticated');
    const authorization = `Bearer ${accessToken}`;
    expect((await visitor.get('/v1/me/totp', { authorization })).body.enabled).toBe(false);
    const events = (await admin.all(`/v1/users/${user.id}/events`)).map(({ type, data }) => [
      type,
      data.how ?? data.cause,
    ]);
    expect(events).toEqual(
      expect.arrayContaining([
        ['IdentityLinked', undefined],
        ['PasswordChanged', 'removed'],
        ['TotpDisabled', undefined],
        ['SessionRevoked', 'identity'],
      ]),
    );
  });

  it('opens an account to which an administrator gave it, but none from which one took it', async () => {
    const email = address();
    const [given, cleared] = [await named(address()), await made(email)];
    expect((await admin.patch(`/v1/users/${given.id}`, { email: `${email} ` })).body.email).toBe(email);
    expect((await admin.patch(`/v1/users/${cleared.user.id}`, { email: null })).body.email).toBeNull();
    expect((await enterAnew(verified(email))).user.id).toBe(given.id);
    expect(await emailEvents(given.id)).toEqual([{ email, how: 'administrator' }]);
    expect(await emailEvents(cleared.user.id)).toEqual([{ email: null, how: 'administrator' }]);
  });

  it('is not handed on with the account when the provider gives it to somebody else', async () => {
    const email = address();
    const account = await made(email);
    const first = verified(email);
    expect((await enterAnew(first)).user.id).toBe(account.user.id);
    const { user } = await enterAnew(verified(email));
    expect(user).toMatchObject({ email });
    expect(user.id).not.toBe(account.user.id);
    expect((await enterAnew(first)).user.id).toBe(account.user.id);
  });

  it('opens one that is in use rather than one that was given up; one that is suspended stays shut until it is reinstated', async () => {
    const email = address();
    const [old, current] = [await made(email), await made(email)];
    await admin.patch(`/v1/users/${old.user.id}`, { deactivated: true });
    expect((await enterAnew(verified(email))).user.id).toBe(current.user.id);

    const gone = address();
    const { user } = await made(gone);
    await admin.patch(`/v1/users/${user.id}`, { deactivated: true });
    expect((await enterAnew(verified(gone))).user.id).not.toBe(user.id);

    const barred = verified(address());
    const suspended = (await made(barred.email as string)).user.id;
    await admin.patch(`/v1/users/${suspended}`, { suspended: true });
    await expect(enterAnew(barred)).rejects.toThrow('suspended');
    await admin.patch(`/v1/users/${suspended}`, { suspended: false });
    expect((await enterAnew(barred)).user.id).toBe(suspended);
  });

  it('follows the provider, unless an administrator has given another', async () => {
    const claims = verified(address());
    const { user } = await enterAnew(claims);
    const moved = address();
    expect((await enterAnew({ ...claims, email: moved })).user).toMatchObject({ id: user.id, email: moved });
    const fixed = address();
    await admin.patch(`/v1/users/${user.id}`, { email: fixed });
    expect((await enterAnew(claims)).user).toMatchObject({ id: user.id, email: fixed });
    await admin.patch(`/v1/users/${user.id}`, { email: null });
    expect((await enterAnew(claims)).user).toMatchObject({ id: user.id, email: null });
  });

  it.each([
    [' ada.%@Example.ORG\t', 'ada.%@example.org'],
    ['ada.%@bücher.example', 'ada.%@xn--bcher-kva.example'],
    ['jörg.%@example.org', 'jörg.%@example.org'],
    ['a@b', null],
    [`${'x'.repeat(300)}%@example.org`, null],
    ['Ada <ada.%@example.org>', null],
    ['ada.%@example.org\u0000', 'ada.%@example.org'],
    [['ada.%@example.org'], null],
    [17, null],
  ])('is stored as an address is stored here, or not at all: %j', async (claim, stored) => {
    const unique = freshName();
    const email = JSON.parse(JSON.stringify(claim).replaceAll('%', unique));
    const { user } = await enterAnew(person({ email, email_verified: true }));
    expect(user.email).toBe(stored?.replaceAll('%', unique) ?? null);
  });

  it('gives one person who signs in at two replicas at once one account', async () => {
    const other = await beside('open');
    try {
      for (const prepare of [() => Promise.resolve(), (email: string) => made(email)]) {
        const claims = verified(address());
        await prepare(claims.email as string);
        const arrivals = await Promise.all([service, other, service, other].map(({ url }) => arrival(url, claims)));
        const entered = await Promise.all(arrivals.map((arrive) => arrive()));
        const ids = entered.map(({ user }) => user.id);
        expect(new Set(ids).size).toBe(1);
        for (const { accessToken } of entered)
          expect(outcome(await visitor.get('/v1/me', { authorization: `Bearer ${accessToken}` }))).toBe(200);
        const links = (await admin.all(`/v1/users/${ids[0]}/events`)).filter(({ type }) => type === 'IdentityLinked');
        expect(links).toHaveLength(1);
      }
    } finally {
      await other.stop();
    }
  });

  it('gives two people who sign in with it at once two accounts', async () => {
    const other = await beside('open');
    try {
      const email = address();
      const { user } = await made(email);
      const arrivals = [await arrival(service.url, verified(email)), await arrival(other.url, verified(email))];
      const ids = (await Promise.all(arrivals.map((arrive) => arrive()))).map(({ user }) => user.id);
      expect(new Set(ids).size).toBe(2);
      expect(ids).toContain(user.id);
    } finally {
      await other.stop();
    }
  });

  /** Somebody who has signed in at the provider; going on brings them back to this replica and in. */
  async function arrival(url: string, claims: Claims) {
    const theirs = new Browser();
    provider.next = claims;
    const start = (await theirs.get(`${url}/v1/auth/sso`)).headers.get('location') ?? '';
    const back = String(await theirs.follow(start, at('/v1/auth/sso/callback'))).replace(service.url, url);
    return async () => {
      const place = (await theirs.get(back)).headers.get('location') ?? '';
      const code = /#sso-code=(.*)$/.exec(place)?.[1];
      const answer = await theirs.post(`${url}/v1/auth/sso/session`, { code });
      return (await answer.json()) as { user: { id: string }; accessToken: string };
    };
  }
});

describe('a name that the provider sends', () => {
  const long = 'Ada '.repeat(100);
  it.each([
    ['Ada  Lovelace', 'Ada Lovelace'],
    ['Ada\u00a0Lovelace', 'Ada Lovelace'],
    ['\tAda\r\nLovelace\u2003', 'Ada Lovelace'],
    ['\u200fAda\u200f Lovelace\u202c', 'Ada Lovelace'],
    ['Ada\u0000Lovelace\u0007', 'AdaLovelace'],
    [long, long.slice(0, 79)],
    ['👩‍👩‍👧‍👦'.repeat(30), undefined],
    ['🎉', undefined],
    ['Ada Lоvelace', undefined],
    ['عادة \u200fنور', 'عادة نور'],
    ['李小龙', '李小龙'],
    ['', null],
    [' \u3000\u2800\u200b', null],
    [42, null],
    [['Ada'], null],
    ['grace@example.org', 'grace'],
  ])('is cleaned up and never refused: %j', async (name, expected) => {
    browser = new Browser();
    const claims = person({ name });
    const { user } = await enter(claims);
    if (expected === undefined) expect(user.displayName).not.toBe('');
    else expect(user.displayName).toBe(expected ?? claims.preferred_username);
  });

  it('has fallbacks: the username there, the address, and a generated one', async () => {
    const unique = freshName();
    const entered = async (claims: Partial<Claims>) => {
      browser = new Browser();
      return (await enter({ sub: `sub-${freshName()}`, ...claims })).user;
    };
    expect(await entered({ preferred_username: `  ${unique}\u200b\n` })).toMatchObject({
      username: unique,
      displayName: unique,
    });
    expect(await entered({ email: `${unique}.b@example.org` })).toMatchObject({
      username: `${unique}.b`,
      displayName: `${unique}.b`,
    });
    expect(await entered({ preferred_username: `${unique}.c@example.org` })).toMatchObject({ username: `${unique}.c` });
    const { username, displayName } = await entered({ name: '\u202e', preferred_username: '龍' });
    expect(username).toMatch(/^person/);
    expect(displayName).toBe('龍');
    expect((await entered({})).displayName).toMatch(/^person/);
  });
});

describe('the role', () => {
  it('follows the provider at each sign-in', async () => {
    const claims = person();
    const roles = [];
    for (const groups of [['chat-admins', 'staff'], ['chat-auditors'], ['staff'], undefined]) {
      browser = new Browser();
      roles.push((await enter({ ...claims, groups })).user.role);
    }
    expect(roles).toEqual(['admin', 'auditor', 'user', 'user']);
  });
});

describe('what comes back from the provider', () => {
  it('counts only in the browser that went there, once, and not for long', async () => {
    provider.next = person();
    const there = await browser.follow(at('/v1/auth/sso'), at('/v1/auth/sso/callback'));
    const back = async (from: Browser, address = String(there)) =>
      outcome(await held('GET', '/v1/auth/sso/callback', await from.get(address)));
    expect(await back(new Browser())).toBe('unauthenticated');
    expect(await back(browser, String(there).replace(/state=\w/, 'state=_'))).toBe('unauthenticated');
    expect(await back(browser, at('/v1/auth/sso/callback'))).toBe('unauthenticated');
    try {
      ahead = 601;
      expect(await back(browser)).toBe('unauthenticated');
    } finally {
      ahead = 0;
    }
    expect(await back(browser)).toBe(302);
    expect(await back(browser)).toBe('unauthenticated');
  });

  it('may be a refusal', async () => {
    expect(await comeBack(null)).toEqual({ refused: 'unauthenticated' });
  });

  it('holds no token in an address, and cookies that scripts and other sites do not see', async () => {
    const came = await comeBack(person());
    expect(came).toEqual({ code: expect.stringMatching(/^[\w-]{43}$/) });
    await exchange((came as { code: string }).code);
    const ours = browser.asked.filter((text) => text.includes('verbatim_sso'));
    expect(ours.map((text) => text.replace(/=[^;]*;/, '=...;'))).toEqual([
      '__Host-verbatim_sso=...; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax',
      '__Host-verbatim_sso=...; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax',
      '__Host-verbatim_sso_browser=...; Path=/; Max-Age=30; HttpOnly; Secure; SameSite=Strict',
      '__Host-verbatim_sso_browser=...; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict',
    ]);
  });
});

describe('a browser that is sent back in any case', () => {
  const begun = (from: string) => at(`/v1/auth/sso?return=${encodeURIComponent(from)}`);
  /** Goes to the provider and back; answers where the browser ended. */
  const end = async (from: string, claims: Claims | null): Promise<string | Response> => {
    provider.next = claims;
    return browser.follow(begun(from), from.startsWith('/') ? at(from) : from);
  };
  const refused = (address: string, code: string) => new RegExp(`^${address}#sso-error=${code}&trace=[0-9a-f-]{36}$`);

  it.each(['/admin/', `${friend}/admin/`])('ends at %s, let in or not', async (from) => {
    const place = from.startsWith('/') ? at(from) : from;
    const claims = person({ preferred_username: freshName() });
    expect(await end(from, claims)).toMatch(new RegExp(`^${place}#sso-code=[\\w-]{43}$`));
    browser = new Browser();
    expect(await end(from, null)).toMatch(refused(place, 'unauthenticated'));
    browser = new Browser();
    await admin.put('/v1/maintenance', {});
    expect(await end(from, person())).toMatch(refused(place, 'maintenance'));
    await admin.delete('/v1/maintenance');
  });

  it('is led back when it took too long, but not by another browser, nor once the errand is done', async () => {
    provider.next = person();
    const there = String(await browser.follow(begun('/admin/'), at('/v1/auth/sso/callback')));
    const back = async (from: Browser) => (await from.get(there)).headers.get('location') ?? 'no redirect';
    expect(await back(new Browser())).toBe('no redirect');
    try {
      ahead = 601;
      expect(await back(browser)).toMatch(refused('/admin/', 'unauthenticated'));
    } finally {
      ahead = 0;
    }
    expect(await back(browser)).toMatch(/^\/admin\/#sso-code=/);
    expect(await back(browser)).toBe('no redirect');
  });

  it('is led nowhere but to addresses on the list', async () => {
    for (const from of [
      'https://stranger.example.org/admin/',
      `${friend}/elsewhere`,
      `${friend}/admin/?x=`,
      `${friend}.stranger.example.org/admin/`,
      '//stranger.example.org/admin/',
      '/admin/../docs',
      '/',
    ]) {
      const answer = await held('GET', '/v1/auth/sso', await browser.get(begun(from)));
      expect([from, outcome(answer), answer.headers.location]).toEqual([from, 'invalid_request', undefined]);
    }
    expect(outcome(await held('GET', '/v1/auth/sso', await browser.get(begun(''))))).toBe(302);
  });
});

describe('the code at the end', () => {
  const codeOf = async (claims = person()) => ((await comeBack(claims)) as { code: string }).code;

  it('is good once, in the same browser, for 30 seconds', async () => {
    const stolen = await codeOf();
    expect(outcome(await exchange(stolen, new Browser()))).toBe('unauthenticated');
    expect(outcome(await exchange(stolen))).toBe('unauthenticated');
    const code = await codeOf();
    expect(outcome(await exchange(code))).toBe(200);
    expect(outcome(await exchange(code))).toBe('unauthenticated');
    const late = await codeOf();
    try {
      ahead = 31;
      expect(outcome(await exchange(late))).toBe('unauthenticated');
    } finally {
      ahead = 0;
    }
  });

  it('opens no account that is shut', async () => {
    const claims = person();
    const { user } = await enter(claims);
    for (const shut of [{ suspended: true }, { suspended: false, deactivated: true }]) {
      await admin.patch(`/v1/users/${user.id}`, shut);
      browser = new Browser();
      expect(outcome(await exchange(await codeOf(claims)))).toBe('forbidden');
    }
  });
});

describe('where no provider is set up', () => {
  it('there is no single sign-on', async () => {
    const other = await startTestService();
    try {
      const there = new Visitor(other.url);
      expect((await there.get('/v1/auth/options')).body.singleSignOn).toBeNull();
      expect(outcome(await there.get('/v1/auth/sso'))).toBe('not_found');
      expect(outcome(await there.post('/v1/auth/sso', { invitation: 'a'.repeat(32) }))).toBe('not_found');
      expect(outcome(await there.get('/v1/auth/sso/callback'))).toBe('not_found');
      const { status, headers } = await there.get('/v1/auth/sso?return=/admin/');
      expect([status, headers.location]).toEqual([302, expect.stringMatching(/^\/admin\/#sso-error=not_found&trace=/)]);
    } finally {
      await other.stop();
    }
  });
});

describe('the settings', () => {
  const complaint = (env: Record<string, string>) => {
    try {
      readConfig(env);
      return '';
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('belong together, and ask for TLS', () => {
    const all = settings(3_000, 'https://id.example.org');
    expect(complaint(all)).toBe('');
    const { OIDC_CLIENT_ID: _, ...incomplete } = all;
    expect(complaint(incomplete)).toMatch(/OIDC_CLIENT_ID is required/);
    expect(complaint({ ...all, OIDC_ISSUER: 'http://id.example.org' })).toMatch(/OIDC_ISSUER must begin with https/);
    expect(complaint({ ...all, OIDC_REDIRECT_URI: 'https://chat.example.org/' })).toMatch(/OIDC_REDIRECT_URI/);
    expect(complaint({ ...all, OIDC_RETURN_URL: '//evil.example.org/' })).toMatch(/OIDC_RETURN_URL/);
    expect(complaint({ ...all, OIDC_SCOPES: 'email' })).toMatch(/OIDC_SCOPES must contain openid/);
    expect(complaint({ REQUIRE_MFA: 'admin,owner' })).toMatch(/REQUIRE_MFA/);
  });
});

it('is no proof for what outlasts the session, which takes a password or a code where there is one', async () => {
  const claims = person();
  const { user, accessToken } = await enter(claims);
  const authorization = `Bearer ${accessToken}`;
  const makeToken = (headers: Record<string, string>) =>
    visitor.post('/v1/me/tokens', { name: 'build', scopes: ['read'] }, headers);
  // Who has neither has nothing to prove it by.
  expect(outcome(await makeToken({ authorization }))).toBe(201);
  const { token } = (await admin.post(`/v1/users/${user.id}/password-reset`)).body;
  expect(outcome(await visitor.post('/v1/auth/reset', { token, newPassword: password }))).toBe(204);
  browser = new Browser();
  const again = `Bearer ${(await enter(claims)).accessToken}`;
  expect(outcome(await makeToken({ authorization: again }))).toBe('mfa_required');
  expect(outcome(await visitor.post('/v1/auth/step-up', { password }, { authorization: again }))).toBe(204);
  expect(outcome(await makeToken({ authorization: again }))).toBe(201);
});

it('all calls of single sign-on have been seen with each of their answers', async () => {
  holdToContract('GET', '/v1/auth/sso', await held('GET', '/v1/auth/sso', await browser.get(at('/v1/auth/sso'))));
  expect(neverSeen('Single sign-on')).toEqual([]);
});
