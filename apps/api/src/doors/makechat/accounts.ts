import { codePoints, emailAddress, isRejection } from '@verbatim/domain';
import { ListRoomsOfUserQuery, ListUsersFromQuery } from '../../application/accounts/account-queries.js';
import { RegisterUserCommand } from '../../application/registration/register-user.js';
import { FindTakenQuery } from '../../application/registration/taken.js';
import { AuthenticateQuery, type Identity } from '../../application/sessions/authentication.js';
import { SignOutCommand } from '../../application/sessions/session-commands.js';
import type { SignedIn } from '../../application/sessions/session-starter.js';
import { SignInCommand } from '../../application/sessions/sign-in.js';
import { accepted } from '../refusal.js';
import { type Answer, ok, Refused, refuse } from './answers.js';
import {
  type Call,
  date,
  fieldOf,
  fieldsOf,
  isRefusedFor,
  oid,
  pageAnswer,
  pageOf,
  textsOf,
  type UserCall,
} from './call.js';
import type { Credentials } from './credentials.js';
import type { Parts } from './parts.js';
import { cookieIn, hasCookie, removeCookie, setCookie } from './session-cookies.js';
import type { Tokens } from './tokens.js';

/** Lengths of passwords in code points, as at the native doors. */
const PASSWORD = { least: 10, most: 256 };

/** Signing up, in and out; lists of users. */
export class Accounts {
  constructor(
    private readonly parts: Parts,
    private readonly credentials: Credentials,
    private readonly tokens: Tokens,
  ) {}

  /** Checks run in makechat's order; our own rules come last. */
  async register(call: Call): Promise<Answer> {
    const { commands, queries, readYourWrites } = this.parts;
    const { email, username, password1, password2 } = textsOf(call.body, 'payload', [
      'email',
      'username',
      'password1',
      'password2',
    ]);
    if (password1 !== password2) throw badPassword('Passwords do not match.');
    const taken = await queries.execute(new FindTakenQuery(username.slice(0, 254), email));
    if (taken.username === username) throw usernameTaken;
    if (taken.email) throw new Refused(400, 'Bad email', 'Email is already taken.');
    if (!isAscii(password1)) throw badSymbols(400);
    const problems = problemsOf(username, email);
    if (problems) throw new Refused(400, 'Error of user creation', problems);
    if (taken.username !== null) throw usernameTaken;
    const length = codePoints(password1);
    if (length < PASSWORD.least) throw badPassword(`The password must have at least ${PASSWORD.least} characters.`);
    if (length > PASSWORD.most) throw badPassword(`The password must have at most ${PASSWORD.most} characters.`);

    const form = { username: username.toLowerCase(), displayName: username, password: password1, email };
    const registered = await commands.execute(new RegisterUserCommand(form, this.clientOf(call), call.context));
    if (isRefusedFor(registered, 'NameTaken')) throw usernameTaken;
    if (isRefusedFor(registered, 'Invalid') && /password/i.test(registered.detail))
      throw badPassword(registered.detail);
    const signedIn = accepted(registered);
    await readYourWrites.written(signedIn.position, call.reply);
    const identity = await this.identityOf(signedIn);
    // People without a session here, because their role requires a second factor, get no token either.
    if (identity && !identity.lacksSecondFactor) await this.tokens.createFirst(identity, call.context);
    return this.withCookie(call, { status: 201, body: { status: 'ok' } }, identity);
  }

  async login(call: Call): Promise<Answer> {
    const { username, password } = textsOf(call.body, 'username', ['username', 'password']);
    const code = fieldOf(fieldsOf(call.body, 'username'), 'code');
    const shown = { username: username.slice(0, 254), password, ...(typeof code === 'string' && { code }) };
    const outcome = await this.parts.commands.execute(new SignInCommand(shown, this.clientOf(call), call.context));
    if (isRefusedFor(outcome, 'Unauthenticated'))
      throw isAscii(password) ? badLogin('Invalid username or password.') : badSymbols(401);
    if (isRefusedFor(outcome, 'NotAllowed', 'SecondFactorNeeded')) throw badLogin(outcome.detail);
    const signedIn = accepted(outcome);
    await this.parts.readYourWrites.written(signedIn.position, call.reply);
    const identity = await this.identityOf(signedIn);
    if (!identity || identity.lacksSecondFactor) {
      if (identity) await this.parts.commands.execute(new SignOutCommand(identity, call.context));
      throw badLogin('Your role requires a second factor. Set it up at /makechat/admin first.');
    }
    return this.withCookie(call, ok, identity);
  }

  /** Ends the session of the cookie. Without one there is nothing to do. */
  async logout(call: Call): Promise<Answer> {
    const { cookie } = call.request.headers;
    const value = cookieIn(cookie);
    const identity = value && (await this.credentials.byCookie(value));
    if (identity) accepted(await this.parts.commands.execute(new SignOutCommand(identity, call.context)));
    // People who open the address in a browser get a page.
    const answer = /\btext\/html\b/.test(call.request.headers.accept ?? '') && call.path === '/logout' ? toLogin : ok;
    if (!hasCookie(cookie)) return answer;
    const removed = removeCookie(this.parts.proxies.secure(call.request.raw));
    return { ...answer, headers: { ...answer.headers, 'set-cookie': removed } };
  }

  async ping({ actor, identity }: UserCall): Promise<Answer> {
    const { username } = identity.account;
    const list = new ListRoomsOfUserQuery(actor.id, { limit: ROOMS_LOOKED_AT });
    const rooms = await this.parts.queries.execute(list);
    // The account may be so new that the read models do not show it.
    const open = isRejection(rooms) ? [] : rooms.items.filter(({ room }) => room.status === 'open');
    return {
      status: 200,
      body: { username, is_superuser: actor.role === 'admin', have_rooms: open.length > 0 },
    };
  }

  async list(call: UserCall): Promise<Answer> {
    const page = pageOf(call.query);
    const found = accepted(await this.parts.queries.execute(new ListUsersFromQuery(call.actor, page.stretch)));
    const ids = await this.parts.objectIds.of(
      'user',
      found.items.map(({ id }) => id),
    );
    const items = found.items.map((user) => ({
      _id: oid(ids.get(user.id)),
      created: date(user.createdAt),
      email: user.email ?? '',
      username: user.username,
      is_superuser: user.role === 'admin',
      is_disabled: user.suspended || user.deactivated,
    }));
    return pageAnswer(call, page, { items, total: found.total });
  }

  private clientOf({ request }: Call) {
    return { ...this.parts.proxies.clientOf(request.raw), sessionSeconds: this.parts.sessionSeconds };
  }

  private identityOf({ accessToken: bearer }: SignedIn): Promise<Identity | null> {
    return this.parts.queries.execute(new AuthenticateQuery({ bearer }));
  }

  private async withCookie(call: Call, answer: Answer, identity: Identity | null): Promise<Answer> {
    if (!identity) return refuse({ rejected: 'Unauthenticated', detail: 'The session has just been ended.' });
    const { actor, sessionId } = identity;
    const value = await this.parts.cookies.issue({ sessionId, userId: actor.id });
    const secure = this.parts.proxies.secure(call.request.raw);
    return { ...answer, headers: { 'set-cookie': setCookie(value, this.parts.sessionSeconds, secure) } };
  }
}

const toLogin: Answer = { status: 302, body: ok.body, headers: { location: '/login' } };

/** Rooms of a person that are searched for an open one. */
const ROOMS_LOOKED_AT = 20;

const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

/** The problems with a username and an address, as makechat prints them; null if there are none. */
function problemsOf(username: string, email: string): string | null {
  const problems: string[] = [];
  if (username.length > MAKECHAT_NAME) problems.push("'username': 'String value is too long'");
  // Names that only makechat allows get the same refusal.
  else if (!/^[a-zA-Z0-9_-]{3,32}$/.test(username))
    problems.push("'username': 'String value did not match validation regex'");
  if (!/^[!-~]+$/.test(email) || emailAddress(email) === null)
    problems.push(`'email': 'Invalid Mail-address: ${email.slice(0, 254).replaceAll(/[\\']/g, '\\$&')}'`);
  return problems.length > 0 ? `{${problems.join(', ')}}` : null;
}

/** Characters of a name in makechat. */
const MAKECHAT_NAME = 120;

const usernameTaken = new Refused(400, 'Bad username', 'Username is already taken.');
const badPassword = (description: string): Refused => new Refused(400, 'Bad password', description);
const badSymbols = (status: 400 | 401): Refused =>
  new Refused(status, 'Bad password symbols', 'Invalid password characters.');
const badLogin = (description: string): Refused => new Refused(401, 'Bad login attempt', description);
