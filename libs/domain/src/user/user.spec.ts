import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NewFact } from '../decider.js';
import { given, type Past } from '../given.testing.js';
import { isRejection } from '../rejection.js';
import { adam, alice, bob, person } from '../room/room.testing.js';
import type { CreateToken } from './tokens.js';
import {
  type ChangeUser,
  type EmailChangeWay,
  type RegisterUser,
  type UserCommand,
  type UserEvent,
  type UserOrigin,
  user,
  userStream,
} from './user.js';

const register: RegisterUser = {
  type: 'RegisterUser',
  actor: null,
  username: 'alice',
  displayName: 'Alice',
  email: 'alice@example.org',
  role: 'user',
  origin: 'registration',
};
const registered: Past<UserEvent> = {
  type: 'UserRegistered',
  data: { username: 'alice', displayName: 'Alice', email: null, role: 'user', origin: 'registration' },
  actor: null,
};
const suspended: Past<UserEvent> = { type: 'UserSuspended', data: {}, actor: 'adam' };
const changeAlice = (wish: Partial<ChangeUser>): ChangeUser => ({
  type: 'ChangeUser',
  actor: adam,
  userId: 'alice',
  ...wish,
});

describe('registering', () => {
  it('records who it is', () => {
    given(user, [])
      .when(register)
      .then([
        {
          type: 'UserRegistered',
          data: {
            username: 'alice',
            displayName: 'Alice',
            email: 'alice@example.org',
            role: 'user',
            origin: 'registration',
          },
        },
      ]);
  });

  it('done again changes nothing, but under another name it is refused', () => {
    given(user, []).when(register).when(register).thenNothing();
    given(user, [])
      .when(register)
      .when({ ...register, username: 'bob' })
      .thenRejected('Conflict');
  });

  it.each([
    ['empty', '', /display name must not be empty/],
    ['81 characters long', '😀'.repeat(81), /display name must have at most 80/],
    ['holding NUL', '\u0000', /NUL/],
    ['half a character', '\udc00', /lone surrogates/],
  ])('is refused with a display name that is %s', (_, displayName, detail) => {
    given(user, [])
      .when({ ...register, displayName })
      .thenRejected('Invalid', detail);
  });

  it('comes too late once the id was given up', () => {
    const abandoning = given(user, []).when({ type: 'AbandonUser', actor: null });
    abandoning.then([{ type: 'UserAbandoned', data: {} }]);
    abandoning.when(register).thenRejected('Conflict', /Try again/);
    abandoning.when({ type: 'AbandonUser', actor: null }).thenNothing();
    given(user, [registered]).when({ type: 'AbandonUser', actor: null }).thenRejected('Conflict');
  });
});

describe('changing an account', () => {
  it('everybody may change the own display name', () => {
    given(user, [registered])
      .when(changeAlice({ actor: alice, displayName: 'Alice B.' }))
      .then([{ type: 'UserChanged', data: { displayName: 'Alice B.' } }]);
  });

  it('administrators may change everything of others, all at once', () => {
    given(user, [registered])
      .when(changeAlice({ displayName: 'Al', role: 'auditor', suspended: true }))
      .then([
        { type: 'UserChanged', data: { displayName: 'Al' } },
        { type: 'UserRoleChanged', data: { role: 'auditor' } },
        { type: 'UserSuspended', data: {} },
      ]);
    given(user, [registered, suspended])
      .when(changeAlice({ suspended: false }))
      .then([{ type: 'UserReinstated', data: {} }]);
  });

  it.each([
    ['another, even an auditor, the display name', { actor: person('ada', 'auditor'), displayName: 'Al' }],
    ['another the role', { actor: bob, role: 'admin' }],
    ['oneself the role', { actor: alice, role: 'admin' }],
    ['another the suspension', { actor: bob, suspended: true }],
    ['oneself the suspension', { actor: alice, suspended: false }],
    ['oneself anything more than the display name', { actor: alice, displayName: 'Al', role: 'user' }],
  ] as [string, Partial<ChangeUser>][])('is not for others: %s', (_, wish) => {
    given(user, [registered]).when(changeAlice(wish)).thenRejected('NotAllowed');
  });

  it('to what it is already changes nothing', () => {
    given(user, [registered])
      .when(changeAlice({ displayName: 'Alice', role: 'user', suspended: false }))
      .thenNothing();
    const all = changeAlice({ displayName: 'Al', role: 'admin', suspended: true });
    given(user, [registered]).when(all).when(all).thenNothing();
  });

  it('does not let administrators lock themselves out', () => {
    const admin = given(user, []).when({ ...register, username: 'adam', role: 'admin', origin: 'setup' });
    const self = { type: 'ChangeUser', actor: adam, userId: 'adam' } as const;
    admin.when({ ...self, role: 'user' }).thenRejected('Conflict', /own role/);
    admin.when({ ...self, suspended: true }).thenRejected('Conflict', /themselves/);
    admin.when({ ...self, role: 'admin', suspended: false }).thenNothing();
  });

  it('is all or nothing', () => {
    given(user, [registered])
      .when(changeAlice({ role: 'admin', displayName: '' }))
      .thenRejected('Invalid', /display name/);
  });

  it('gives a new display name to somebody whose name was forgotten', () => {
    const forgotten = { ...registered, data: { ...registered.data, displayName: null } } as Past<UserEvent>;
    given(user, [forgotten])
      .when(changeAlice({ actor: alice, displayName: 'Alice' }))
      .then([{ type: 'UserChanged', data: { displayName: 'Alice' } }]);
  });
});

describe('signing in and out', () => {
  const start = { type: 'StartSession', actor: alice, sessionId: 's1', how: 'password' } as const;
  const revoke = { type: 'RevokeSessions', actor: alice, sessionIds: ['s1'], cause: 'logout' } as const;

  it('is recorded', () => {
    given(user, [registered])
      .when(start)
      .then([{ type: 'SessionStarted', data: { sessionId: 's1', how: 'password' } }]);
    given(user, [registered])
      .when(revoke)
      .then([{ type: 'SessionRevoked', data: { sessionId: 's1', cause: 'logout' } }]);
  });

  it('is refused to a suspended account, whose sessions can still be revoked', () => {
    given(user, [registered, suspended])
      .when(start)
      .thenRejected('NotAllowed', /suspended/);
    given(user, [registered, suspended])
      .when({ ...revoke, actor: null, cause: 'reuse' })
      .then([{ type: 'SessionRevoked', data: { sessionId: 's1', cause: 'reuse' } }]);
  });

  it('that is guessed at too often is noted, for accounts that there are', () => {
    const lockOut = { type: 'LockOutSignIn', actor: null } as const;
    given(user, [registered])
      .when(lockOut)
      .then([{ type: 'SignInLockedOut', data: {} }]);
    given(user, []).when(lockOut).thenRejected('NotFound');
  });

  it('is open again to who was reinstated', () => {
    given(user, [registered, suspended])
      .when(changeAlice({ suspended: false }))
      .when(start)
      .then([{ type: 'SessionStarted', data: { sessionId: 's1', how: 'password' } }]);
  });

  it('does not let the state grow', () => {
    const sessions = Array.from({ length: 1_000 }, (_, i): Past<UserEvent> => {
      return { type: 'SessionStarted', data: { sessionId: `s${i}` } };
    });
    const { revision, ...rest } = given(user, [registered, ...sessions]).state;
    const { revision: before, ...same } = given(user, [registered]).state;
    expect(rest).toEqual(same);
    expect([before, revision]).toEqual([0n, 1_000n]);
  });
});

describe('giving up an account', () => {
  const deactivated: Past<UserEvent> = { type: 'UserDeactivated', data: {}, actor: 'alice' };

  it('is for its holder, and for administrators', () => {
    given(user, [registered])
      .when({ type: 'DeactivateUser', actor: alice })
      .then([{ type: 'UserDeactivated', data: {} }]);
    given(user, [registered])
      .when(changeAlice({ deactivated: true }))
      .then([{ type: 'UserDeactivated', data: {} }]);
    given(user, [registered])
      .when(changeAlice({ actor: bob, deactivated: true }))
      .thenRejected('NotAllowed');
    given(user, [registered, deactivated]).when({ type: 'DeactivateUser', actor: alice }).thenNothing();
  });

  it('lets nobody sign in until an administrator takes it back', () => {
    const start = { type: 'StartSession', actor: null, sessionId: 's1', how: 'password' } as const;
    given(user, [registered, deactivated])
      .when(start)
      .thenRejected('NotAllowed', /deactivated/);
    given(user, [registered, deactivated])
      .when(changeAlice({ actor: alice, deactivated: false }))
      .thenRejected('NotAllowed');
    given(user, [registered, deactivated])
      .when(changeAlice({ deactivated: false }))
      .when(start)
      .then([{ type: 'SessionStarted', data: { sessionId: 's1', how: 'password' } }]);
  });

  it('and suspending it are two things', () => {
    const both = [registered, suspended, deactivated];
    expect(given(user, both).state).toMatchObject({ status: 'deactivated', suspended: true });
    const reactivated: Past<UserEvent> = { type: 'UserReactivated', data: {}, actor: 'adam' };
    const reinstated: Past<UserEvent> = { type: 'UserReinstated', data: {}, actor: 'adam' };
    expect(given(user, [...both, reactivated]).state).toMatchObject({ status: 'suspended', suspended: true });
    expect(given(user, [...both, reinstated]).state).toMatchObject({ status: 'deactivated', suspended: false });
    expect(given(user, [...both, reinstated, reactivated]).state.status).toBe('active');
  });
});

describe('the last administrator', () => {
  const administrator: Past<UserEvent> = { type: 'UserRoleChanged', data: { role: 'admin' }, actor: 'adam' };

  it.each([{ role: 'user' }, { suspended: true }, { deactivated: true }] as const)(
    'is not taken away by %j',
    (wish) => {
      given(user, [registered, administrator])
        .when(changeAlice(wish))
        .thenRejected('Conflict', /last administrator/);
      const { decision } = given(user, [registered, administrator]).when(changeAlice({ ...wish, othersRemain: true }));
      expect(isRejection(decision)).toBe(false);
    },
  );

  it('does not leave either', () => {
    const leave = { type: 'DeactivateUser', actor: alice } as const;
    given(user, [registered, administrator])
      .when(leave)
      .thenRejected('Conflict', /last administrator/);
    given(user, [registered, administrator])
      .when({ ...leave, othersRemain: true })
      .then([{ type: 'UserDeactivated', data: {} }]);
  });

  it('is not one who is suspended already', () => {
    given(user, [registered, administrator, suspended])
      .when(changeAlice({ role: 'user' }))
      .then([{ type: 'UserRoleChanged', data: { role: 'user' } }]);
  });
});

describe('what opens an account', () => {
  const totp: Past<UserEvent> = { type: 'TotpEnabled', data: { totpId: 't1' }, actor: 'alice' };
  const ended = (cause: 'password' | 'totp' | 'identity') =>
    ['s1', 's2'].map((sessionId) => ({ type: 'SessionRevoked', data: { sessionId, cause } }) as const);
  const sessionIds = ['s1', 's2'];

  it('is a password, whose change ends sessions', () => {
    given(user, [registered])
      .when({ type: 'ChangePassword', actor: alice, how: 'change', sessionIds })
      .then([{ type: 'PasswordChanged', data: { how: 'change' } }, ...ended('password')]);
  });

  it('is a password that administrators can have chosen anew', () => {
    given(user, [registered])
      .when({ type: 'IssuePasswordReset', actor: adam })
      .then([{ type: 'PasswordResetIssued', data: {} }]);
    for (const actor of [alice, bob, person('ada', 'auditor')])
      given(user, [registered]).when({ type: 'IssuePasswordReset', actor }).thenRejected('NotAllowed');
  });

  it('is a second factor, one at a time', () => {
    const enable = { type: 'EnableTotp', actor: alice, totpId: 't1', sessionIds } as const;
    const enabling = given(user, [registered]).when(enable);
    enabling.then([{ type: 'TotpEnabled', data: { totpId: 't1' } }, ...ended('totp')]);
    enabling.when(enable).thenNothing();
    enabling.when({ ...enable, totpId: 't2' }).thenRejected('Conflict');
    expect(given(user, [registered, totp]).state.totpId).toBe('t1');
    given(user, [registered, totp])
      .when({ type: 'DisableTotp', actor: alice, userId: 'alice' })
      .then([{ type: 'TotpDisabled', data: {} }]);
    given(user, [registered]).when({ type: 'DisableTotp', actor: alice, userId: 'alice' }).thenNothing();
  });

  it('is a second factor that administrators take away from those who have lost it', () => {
    given(user, [registered, totp])
      .when({ type: 'DisableTotp', actor: adam, userId: 'alice' })
      .then([{ type: 'TotpDisabled', data: {} }]);
    for (const actor of [bob, person('ada', 'auditor')])
      given(user, [registered, totp]).when({ type: 'DisableTotp', actor, userId: 'alice' }).thenRejected('NotAllowed');
  });

  it('is a recovery code only beside a second factor', () => {
    for (const type of ['IssueRecoveryCodes', 'UseRecoveryCode'] as const)
      given(user, [registered]).when({ type, actor: alice }).thenRejected('Conflict');
    given(user, [registered, totp])
      .when({ type: 'UseRecoveryCode', actor: null })
      .then([{ type: 'RecoveryCodeUsed', data: {} }]);
  });

  it('is linked once to an identity, however often that is asked for', () => {
    const link = { type: 'LinkIdentity', actor: null, identityId: 'i1', takesOver: true, sessionIds } as const;
    given(user, [registered]).when(link).when(link).thenNothing();
  });

  it('is an identity elsewhere, which takes over whatever was there before', () => {
    const link = { type: 'LinkIdentity', actor: null, identityId: 'i1', takesOver: false, sessionIds: [] } as const;
    given(user, [registered])
      .when(link)
      .then([{ type: 'IdentityLinked', data: { identityId: 'i1' } }]);
    given(user, [registered, totp])
      .when({ ...link, takesOver: true, sessionIds })
      .then([
        { type: 'IdentityLinked', data: { identityId: 'i1' } },
        { type: 'PasswordChanged', data: { how: 'removed' } },
        { type: 'TotpDisabled', data: {} },
        ...ended('identity'),
      ]);
  });
});

describe('the e-mail address of an account', () => {
  const named = (origin: UserOrigin, email: string | null = 'ada@example.org'): Past<UserEvent> => ({
    type: 'UserRegistered',
    data: { username: 'alice', displayName: 'Alice', email, role: 'user', origin },
    actor: null,
  });
  const giveUp = { type: 'GiveUpEmail', actor: null, email: 'Ada@Example.org' } as const;
  const confirm = { type: 'ConfirmEmail', actor: null, email: 'ada@bücher.example' } as const;
  const changed = (email: string | null, how: EmailChangeWay): NewFact<UserEvent> => ({
    type: 'UserEmailChanged',
    data: { email, how },
  });

  it('is recorded in one form, and refused where mail would not accept it', () => {
    const wish = { ...register, email: '\u00a0Alice@BÜCHER.example ' };
    const data = { ...registered.data, email: 'Alice@xn--bcher-kva.example' };
    given(user, [])
      .when(wish)
      .then([{ type: 'UserRegistered', data }]);
    given(user, [])
      .when({ ...register, email: 'alice' })
      .thenRejected('Invalid', /e-mail/);
    given(user, [registered])
      .when(changeAlice({ email: 'a..b@example.org' }))
      .thenRejected('Invalid', /e-mail/);
  });

  it('has today’s form in the state, also where an older release recorded another', () => {
    const { email, emailSource } = given(user, [named('sso', ' Ada@BÜCHER.example ')]).state;
    expect([email, emailSource]).toEqual(['Ada@xn--bcher-kva.example', 'provider']);
    expect(given(user, [named('sso', 'no address')]).state.email).toBe('no address');
  });

  it('is changed and cleared by administrators, and by nobody else', () => {
    const other = changeAlice({ email: 'alice@example.com' });
    given(user, [named('registration')])
      .when(other)
      .then([changed('alice@example.com', 'administrator')]);
    given(user, [named('registration')])
      .when(other)
      .when(other)
      .thenNothing();
    given(user, [named('sso')])
      .when(changeAlice({ email: null }))
      .then([changed(null, 'administrator')]);
    given(user, [named('registration')])
      .when({ ...other, actor: alice })
      .thenRejected('NotAllowed');
  });

  it('is vouched for by an administrator who confirms it as it is', () => {
    const same = changeAlice({ email: 'ada@example.org' });
    given(user, [named('registration')])
      .when(same)
      .then([changed('ada@example.org', 'administrator')]);
    given(user, [named('admin')])
      .when(same)
      .thenNothing();
  });

  it.each<UserOrigin>(['registration', 'import'])(
    'is lost to the person who proves to own it: named at %s',
    (origin) => {
      given(user, [named(origin)])
        .when(giveUp)
        .then([changed(null, 'claimed')]);
      given(user, [named(origin)])
        .when(giveUp)
        .when(giveUp)
        .thenNothing();
      given(user, [named(origin), suspended, { type: 'UserDeactivated', data: {}, actor: 'alice' }])
        .when(giveUp)
        .then([changed(null, 'claimed')]);
      given(user, [named(origin)])
        .when({ ...giveUp, email: 'bob@example.org' })
        .thenNothing();
    },
  );

  it.each<UserOrigin>(['admin', 'sso'])('is kept where somebody vouched for it: origin %s', (origin) => {
    given(user, [named(origin)])
      .when(giveUp)
      .thenNothing();
  });

  it('follows the provider, but never against an administrator', () => {
    const confirmed = [changed('ada@xn--bcher-kva.example', 'provider')];
    for (const origin of ['sso', 'registration'] as const)
      given(user, [named(origin)])
        .when(confirm)
        .then(confirmed);
    given(user, [named('sso', null)])
      .when(confirm)
      .then(confirmed);
    given(user, [named('sso', null)])
      .when(confirm)
      .when({ ...confirm, email: 'ADA@Bücher.example' })
      .thenNothing();
    given(user, [named('admin')])
      .when(confirm)
      .thenNothing();
    given(user, [named('sso')])
      .when(changeAlice({ email: null }))
      .when(confirm)
      .thenNothing();
  });

  it('counts as verified where an older release linked the account by it', () => {
    given(user, [named('registration'), { type: 'IdentityLinked', data: { identityId: 'i1' }, actor: null }])
      .when(giveUp)
      .thenNothing();
  });
});

describe.each([
  ['never came to be', []],
  ['was abandoned', [{ type: 'UserAbandoned', data: {} }]],
] as const)('an account that %s', (_, past) => {
  it.each<UserCommand>([
    changeAlice({ displayName: 'Al' }),
    { type: 'StartSession', actor: alice, sessionId: 's1', how: 'password' },
    { type: 'RevokeSessions', actor: alice, sessionIds: ['s1'], cause: 'logout' },
    { type: 'ChangePassword', actor: alice, how: 'change', sessionIds: [] },
    { type: 'EnableTotp', actor: alice, totpId: 't1', sessionIds: [] },
    { type: 'DeactivateUser', actor: alice },
  ])('is not found by $type', (command) => {
    given(user, past).when(command).thenRejected('NotFound');
  });
});

describe('folding', () => {
  it('knows the account as it is by now', () => {
    const { state } = given(user, [
      registered,
      { type: 'UserChanged', data: { displayName: 'Al' } },
      { type: 'UserRoleChanged', data: { role: 'admin' } },
      suspended,
    ]);
    expect(state).toMatchObject({ status: 'suspended', username: 'alice', displayName: 'Al', role: 'admin' });
  });

  it('passes over events of later releases', () => {
    const later = { type: 'UserPainted', data: { colour: 'green' } } as never;
    const before = given(user, [registered]).state;
    expect(given(user, [registered, later]).state).toEqual({ ...before, revision: 1n });
  });
});

describe('personal tokens', () => {
  const bot: Past<UserEvent> = { ...registered, data: { ...registered.data, origin: 'bot' } } as Past<UserEvent>;
  const wish = { type: 'CreateToken', actor: alice, userId: 'alice', tokenId: 't1', name: 'build' } as const;
  const create: CreateToken = { ...wish, scopes: ['read', 'post'], expiresAt: '2026-02-28T12:00:00.000Z' };
  const made = (tokenId: string): Past<UserEvent> => ({
    type: 'TokenCreated',
    data: { tokenId, name: 'build', scopes: ['read'], expiresAt: null },
  });
  const revoke = { type: 'RevokeToken', actor: alice, userId: 'alice', tokenId: 't1' } as const;

  it('are recorded without the token', () => {
    given(user, [registered])
      .when(create)
      .then([
        {
          type: 'TokenCreated',
          data: { tokenId: 't1', name: 'build', scopes: ['read', 'post'], expiresAt: create.expiresAt },
        },
      ]);
    given(user, [registered, made('t1')])
      .when(revoke)
      .then([{ type: 'TokenRevoked', data: { tokenId: 't1' } }]);
  });

  it('are made by people for themselves, and by administrators for bots', () => {
    given(user, [registered])
      .when({ ...create, actor: adam })
      .thenRejected('NotAllowed');
    given(user, [bot]).when(create).thenRejected('NotAllowed');
    expect(given(user, [bot]).when({ ...create, actor: adam, expiresAt: null }).decision).toMatchObject({
      events: [{}],
    });
  });

  it('expire, but for those of bots', () => {
    given(user, [registered])
      .when({ ...create, expiresAt: null })
      .thenRejected('Invalid', /must expire/);
  });

  it('are revoked by the person or an administrator', () => {
    given(user, [registered, made('t1')])
      .when({ ...revoke, actor: bob })
      .thenRejected('NotAllowed');
    expect(given(user, [registered, made('t1')]).when({ ...revoke, actor: adam }).decision).toMatchObject({
      events: [{}],
    });
    given(user, [registered, made('t1')])
      .when(revoke)
      .when(revoke)
      .thenNothing();
  });

  it('are 50 at most', () => {
    const many = Array.from({ length: 50 }, (_, i) => made(`t${i}`));
    given(user, [registered, ...many])
      .when({ ...create, tokenId: 'one more' })
      .thenRejected('Conflict', /50/);
  });

  it('do not outlive a suspension', () => {
    const { state } = given(user, [
      registered,
      made('t1'),
      suspended,
      { type: 'UserReinstated', data: {}, actor: 'adam' },
    ]);
    expect(state.tokens).toEqual([]);
    given(user, [registered, suspended]).when(create).thenRejected('NotAllowed');
  });

  it('are all that a bot has: it does not sign in', () => {
    given(user, [bot])
      .when({ type: 'StartSession', actor: null, sessionId: 's1', how: 'password' })
      .thenRejected('NotAllowed', /Bots/);
  });
});

describe('an account that is shut out', () => {
  const deactivated: Past<UserEvent> = { type: 'UserDeactivated', data: {}, actor: 'adam' };
  const totp: Past<UserEvent> = { type: 'TotpEnabled', data: { totpId: 't1' }, actor: 'alice' };
  const bot: Past<UserEvent> = { ...registered, data: { ...registered.data, origin: 'bot' } } as Past<UserEvent>;
  const expiresAt = '2026-02-28T12:00:00.000Z';
  const token = {
    type: 'CreateToken',
    userId: 'alice',
    tokenId: 't1',
    name: 'a',
    scopes: ['read'],
    expiresAt,
  } as const;

  describe.each([
    ['suspended', suspended],
    ['deactivated', deactivated],
  ])('%s', (status, event) => {
    it.each<[Past<UserEvent>, UserCommand]>([
      [registered, { type: 'StartSession', actor: null, sessionId: 's1', how: 'sso' }],
      [registered, { ...token, actor: alice }],
      [bot, { ...token, actor: adam }],
      [registered, { type: 'ChangePassword', actor: alice, how: 'change', sessionIds: [] }],
      [registered, { type: 'ChangePassword', actor: null, how: 'reset', sessionIds: [] }],
      [registered, { type: 'IssuePasswordReset', actor: adam }],
      [registered, { type: 'EnableTotp', actor: alice, totpId: 't2', sessionIds: [] }],
      [totp, { type: 'IssueRecoveryCodes', actor: alice }],
      [registered, { type: 'LinkIdentity', actor: null, identityId: 'i1', takesOver: false, sessionIds: [] }],
    ])('gets nothing new that opens it (%#)', (first, command) => {
      const past = first === totp ? [registered, totp] : [first];
      given(user, [...past, event])
        .when(command)
        .thenRejected('NotAllowed', new RegExp(status));
    });
  });

  it('stays closed to what was allowed before, also when it is back', () => {
    const back: Past<UserEvent> = { type: 'UserReactivated', data: {}, actor: 'adam' };
    const past = [registered, deactivated, back];
    const reset = { type: 'ChangePassword', actor: null, how: 'reset', sessionIds: [] } as const;
    for (const allowedAt of [0n, 0])
      given(user, past)
        .when({ ...reset, allowedAt })
        .thenRejected('NotAllowed', /taken over/);
    given(user, past)
      .when({ ...reset, allowedAt: 2n })
      .then([{ type: 'PasswordChanged', data: { how: 'reset' } }]);
  });
});

describe('the bot of a webhook', () => {
  const bot: RegisterUser = {
    ...register,
    username: 'hook-0123456789ab',
    displayName: 'Build server',
    email: null,
    origin: 'webhook',
  };

  it('has a username of its kind, which nobody else can have', () => {
    expect(given(user, []).when(bot).decision).toMatchObject({ events: [{}] });
    given(user, [])
      .when({ ...bot, username: 'build' })
      .thenRejected('NameTaken');
    for (const username of ['hook-', 'hook-0123456789ab', 'HOOK-A', 'Hook-me'])
      for (const origin of ['registration', 'setup', 'bot', 'sso', 'admin'] as const)
        given(user, [])
          .when({ ...register, username, origin })
          .thenRejected('NameTaken', /hook-/);
    for (const username of ['hook', 'hooker', 'hook_a', 'ahook-'])
      expect(given(user, []).when({ ...register, username }).decision).toMatchObject({ events: [{}] });
  });

  it('is nothing else than that: it has no session, no token and no role, and never comes back', () => {
    const being = given(user, []).when(bot);
    being
      .when({ type: 'StartSession', actor: null, sessionId: 's1', how: 'password' })
      .thenRejected('NotAllowed', /Bots/);
    being
      .when({
        type: 'CreateToken',
        actor: adam,
        userId: 'b',
        tokenId: 't',
        name: 'a',
        scopes: ['read'],
        expiresAt: null,
      })
      .thenRejected('NotAllowed', /no tokens/);
    being.when(changeAlice({ role: 'admin' })).thenRejected('Conflict', /cannot have a role/);
    being
      .when(changeAlice({ deactivated: true }))
      .when(changeAlice({ deactivated: false }))
      .thenRejected('Conflict', /cannot be reactivated/);
    const suspending = being.when(changeAlice({ suspended: true }));
    suspending.when(changeAlice({ suspended: false })).then([{ type: 'UserReinstated', data: {} }]);
  });
});

describe('a guest', () => {
  const ann: RegisterUser = {
    ...register,
    username: 'guest-0123456789ab',
    displayName: 'Ann',
    email: null,
    origin: 'guest',
  };

  it('has a username of its kind, which nobody else can have', () => {
    expect(given(user, []).when(ann).decision).toMatchObject({ events: [{}] });
    for (const username of ['ann', 'hook-0123456789ab'])
      given(user, [])
        .when({ ...ann, username })
        .thenRejected('NameTaken');
    for (const origin of ['registration', 'webhook', 'sso', 'admin'] as const)
      given(user, [])
        .when({ ...ann, username: 'Guest-me', origin })
        .thenRejected('NameTaken', /guest-/);
  });

  it('has no session, password, token or role', () => {
    const being = given(user, []).when(ann);
    being
      .when({ type: 'StartSession', actor: null, sessionId: 's1', how: 'password' })
      .thenRejected('NotAllowed', /bare name/);
    being.when({ type: 'IssuePasswordReset', actor: adam }).thenRejected('NotAllowed', /bare name/);
    being
      .when({
        ...{ type: 'CreateToken', actor: { id: 'b', role: 'user' }, userId: 'b', tokenId: 't', name: 'a' },
        ...{ scopes: ['read'], expiresAt: '2031-01-01T00:00:00.000Z' },
      })
      .thenRejected('NotAllowed', /no tokens/);
    being.when(changeAlice({ role: 'admin' })).thenRejected('Conflict', /cannot have a role/);
  });

  it('comes back after it was unused, but not while suspended', () => {
    const unused = given(user, []).when(ann).when({ type: 'DeactivateUser', actor: null });
    unused.when({ type: 'ReadmitGuest', actor: null }).then([{ type: 'UserReactivated', data: {} }]);
    unused
      .when(changeAlice({ suspended: true }))
      .when({ type: 'ReadmitGuest', actor: null })
      .thenRejected('NotAllowed', /suspended/);
  });
});

describe('whatever is done to an account', () => {
  /** Commands that record something which has taken place each time. */
  const reports = [
    ...['StartSession', 'RevokeSessions', 'ChangePassword', 'IssueRecoveryCodes', 'UseRecoveryCode', 'LinkIdentity'],
  ];
  const actor = fc.constantFrom(alice, bob, adam);
  const username = fc.constantFrom('alice', 'bob');
  const role = fc.constantFrom('user', 'admin', 'auditor');
  const displayName = fc.constantFrom('Alice', 'Al', '');
  const sessionId = fc.constantFrom('s1', 's2');
  const is = <const T>(value: T) => fc.constant(value);
  const command: fc.Arbitrary<UserCommand> = fc.oneof(
    fc.record({
      type: is('RegisterUser'),
      actor: is(null),
      username,
      displayName,
      email: is(null),
      role,
      origin: fc.constantFrom('registration', 'bot'),
    }),
    fc.record({ type: is('AbandonUser'), actor }),
    fc.record(
      {
        type: is('ChangeUser'),
        actor,
        userId: username,
        displayName,
        role,
        suspended: fc.boolean(),
        deactivated: fc.boolean(),
        othersRemain: fc.boolean(),
      },
      { requiredKeys: ['type', 'actor', 'userId'] },
    ),
    fc.record({ type: is('StartSession'), actor, sessionId, how: fc.constantFrom('password', 'sso') }),
    fc.record({
      type: is('RevokeSessions'),
      actor,
      sessionIds: fc.array(sessionId, { maxLength: 2 }),
      cause: fc.constantFrom('logout', 'reuse'),
    }),
    fc.record({ type: is('DeactivateUser'), actor, othersRemain: fc.boolean() }),
    fc.record({ type: is('ChangePassword'), actor, how: fc.constantFrom('change', 'reset'), sessionIds: is([]) }),
    fc.record({ type: is('EnableTotp'), actor, totpId: fc.constantFrom('t1', 't2'), sessionIds: is(['s1']) }),
    fc.record({ type: is('DisableTotp'), actor, userId: username }),
    fc.record({ type: fc.constantFrom('IssueRecoveryCodes', 'UseRecoveryCode'), actor }),
    fc.record({
      type: is('LinkIdentity'),
      actor,
      identityId: is('i1'),
      takesOver: fc.boolean(),
      sessionIds: is([]),
    }),
    fc.record({
      ...{ type: is('CreateToken'), actor, userId: username, tokenId: sessionId, name: displayName },
      ...{ scopes: is(['read'] as const), expiresAt: fc.constantFrom(null, '2026-02-28T12:00:00.000Z') },
    }),
    fc.record({ type: is('RevokeToken'), actor, userId: username, tokenId: sessionId }),
  );

  it('every command gets an answer, and what is a wish, not a report, does not happen twice in a row', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60, size: 'max' }), (commands) => {
        let state = user.initialState;
        const at = '2026-01-31T12:00:00.000Z';
        for (const command of commands) {
          const decision = user.decide(command, state, at);
          if (isRejection(decision)) continue;
          for (const fact of decision.events) {
            const event = { ...fact, revision: state.revision + 1n, at, actor: null };
            state = user.evolve(state, event as UserEvent);
          }
          if (reports.includes(command.type)) continue;
          expect(user.decide(command, state, at)).toEqual({ events: [] });
        }
      }),
    );
  });
});

it('the events of an account have a stream of their own', () => {
  expect(userStream('0190')).toBe('user-0190');
});
