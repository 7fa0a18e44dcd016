import type { EmailSource, UserOrigin } from '@verbatim/domain';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chat, everything } from './chat.testing.js';
import { InvalidCursor } from './page.js';
import { findUsers, getUser, getUsers, peopleWithEmail, type UsersQuery } from './people.js';
import { messagesBy } from './posters.js';
import { createReadDatabase, type TestReadDatabase } from './read-database.testing.js';
import { BEGINNING, Recorder } from './recorder.testing.js';

let db: TestReadDatabase;
beforeAll(async () => {
  db = await createReadDatabase();
  const chat = new Chat()
    .registers('alice', 'Alice Liddell', 'admin')
    .registers('bob', 'Builder 100%')
    .registers('carol', null)
    .registers('dave', 'Über_Dave')
    .suspends('dave')
    .creates('alice', 'lounge')
    .joins('bob', 'lounge')
    .posts('alice', 'lounge', 'm1')
    .posts('alice', 'lounge', 'm2')
    .posts('bob', 'lounge', 'm3')
    .redacts('alice', 'lounge', 'm2');
  await db.show(chat.events);
});
afterAll(() => db.drop());

const found = async (q?: string) => (await findUsers(db, { q, page: { limit: 50 } })).items.map(({ id }) => id);

test('a user is found by id', async () => {
  expect(await getUser(db, 'alice')).toEqual({
    id: 'alice',
    username: 'alice',
    displayName: 'Alice Liddell',
    email: 'alice@example.org',
    role: 'admin',
    suspended: false,
    bot: false,
    guest: false,
    deactivated: false,
    secondFactor: false,
    signedInAt: null,
    createdAt: new Date(BEGINNING).toISOString(),
  });
  expect(await getUser(db, 'dave')).toMatchObject({ suspended: true });
  expect(await getUser(db, 'nobody')).toBeNull();
  expect(await getUser(db, 'nul\u0000')).toBeNull();
});

test('what somebody has posted is counted, with what was redacted since', async () => {
  const ids = ['alice', 'bob', 'carol', 'nobody', 'nul\u0000'];
  expect(await Promise.all(ids.map((id) => messagesBy(db, id)))).toEqual([2, 1, 0, 0, 0]);
});

test('several users are found at once', async () => {
  const users = await getUsers(db, ['bob', 'nobody', 'carol', 'bob']);
  expect([...users.keys()].sort()).toEqual(['bob', 'carol']);
  expect(users.get('carol')?.displayName).toBeNull();
});

test('people are found by a part of their name, whatever the case', async () => {
  expect(await found()).toEqual(['alice', 'bob', 'carol', 'dave']);
  expect(await found('LIDD')).toEqual(['alice']);
  expect(await found('o')).toEqual(['bob', 'carol']);
  expect(await found('über')).toEqual(['dave']);
  expect(await found('u\u0308ber')).toEqual(['dave']);
  expect(await found('nobody')).toEqual([]);
});

const spelledOtherwise: readonly (readonly [name: string, spellings: string[], others: string[]])[] = [
  ['İbrahim Şahin', ['ibrahim', 'İBRAHİM', 'IBRAHIM', 'ıbrahım', 'sahin', 'brah'], ['ibrahima']],
  ['Jérôme Le Goff', ['jero', 'JÉRÔME', 'goff jerome', 'le  goff'], ['jeromes']],
  ['Ute Weißmüller', ['weissmüller', 'weissmuller', 'WEISSMÜLLER', 'Weiẞmüller', 'u\u0308ller'], ['weismuller']],
  ["Sinéad O'Brien", ['OBrien', 'o’brien', "O'Brien", 'obrien sinead', 'brien'], ["o'brian"]],
  ['Conor O’Neill', ["o'neill", 'oneill', 'o neill'], ['o.neill']],
  ['Łukasz Żółć', ['lukasz', 'ŁUKASZ', 'zolc'], []],
  ['Søren Ægidius Đorđević', ['soren', 'aegidius', 'dordevic soren'], []],
  ['Ada Lovelace', ['Lovelace Ada', 'lovelace   ada', 'ada love', 'lace'], ['ada byron', 'adalovelace']],
  ['Jean-Luc Picard', ['jean luc', 'jean-luc', 'jean‑luc', 'jeanluc', 'picard jean'], []],
  ['Anne Marie', ['Anne-Marie', 'marie anne'], ['annemarie-']],
  ['Ελένη Παπαδοπούλου', ['ΕΛΕΝΗ', 'ελενη', 'παπαδοπουλοσ'.slice(0, 9)], []],
  ['Семён Ёлкин', ['семен', 'ЕЛКИН'], []],
  ['李小龍', ['小龍', '李', '龍'], ['龍小']],
  ['محمّد', ['محمد'], []],
  ['Ｆｕｌｌ Ｗｉｄｔｈ', ['full width'], []],
];

test('people are found by other spellings of their names', async () => {
  const chat = new Chat();
  for (const [n, [displayName]] of spelledOtherwise.entries()) chat.registers(`zz${n}`, displayName);
  const other = await createReadDatabase();
  try {
    await other.show(chat.events);
    const by = async (q: string) => (await findUsers(other, { q, page: { limit: 50 } })).items.map(({ id }) => id);
    for (const [n, [, spellings, others]] of spelledOtherwise.entries()) {
      for (const q of spellings) expect([q, await by(q)]).toEqual([q, [`zz${n}`]]);
      for (const q of others) expect([q, await by(q)]).toEqual([q, []]);
    }
  } finally {
    await other.drop();
  }
});

test('a name that was changed is found by the new one', async () => {
  const log = new Recorder();
  const data = { username: 'erin', displayName: 'Zoë', email: null, role: 'user', origin: 'registration' } as const;
  log.user('erin', { type: 'UserRegistered', data });
  log.user('erin', { type: 'UserChanged', data: { displayName: 'Chloé' } });
  const other = await createReadDatabase();
  try {
    await other.show(log.events);
    const by = async (q: string) => (await findUsers(other, { q, page: { limit: 50 } })).items.length;
    expect([await by('chloe'), await by('zoe'), await by('erin')]).toEqual([1, 0, 1]);
  } finally {
    await other.drop();
  }
});

test('people are found by e-mail address only where that is asked for', async () => {
  const by = async (q: string, byEmail: boolean) =>
    (await findUsers(db, { q, byEmail, page: { limit: 50 } })).items.map(({ id }) => id);
  expect(await by('bob@example.org', true)).toEqual(['bob']);
  expect(await by('BOB@Example.ORG', true)).toEqual(['bob']);
  expect(await by('bob@ex', true)).toEqual(['bob']);
  expect(await by('builder bob@', true)).toEqual(['bob']);
  expect(await by('example.org', true)).toEqual(['alice', 'bob', 'carol', 'dave']);
  for (const q of ['bob@example.org', 'bob@ex', '@', 'example', 'bob@example.org builder'])
    expect(await by(q, false)).toEqual([]);
  expect(await by('org', true)).toHaveLength(4);
  expect(await by('%@%', true)).toEqual([]);
});

test('what means something to LIKE means itself', async () => {
  expect(await found('100%')).toEqual(['bob']);
  expect(await found('_')).toEqual(['dave']);
  expect(await found('%')).toEqual(['bob']);
  expect(await found('\\')).toEqual([]);
});

test('the list comes in pages', async () => {
  const users = await everything(3, (page) => findUsers(db, { page }));
  expect(users.map(({ id }) => id)).toEqual(['alice', 'bob', 'carol', 'dave']);
});

test('the list can be narrowed to a role, and to those who are suspended or not', async () => {
  const narrowed = async (query: Omit<UsersQuery, 'page'>) =>
    (await findUsers(db, { ...query, page: { limit: 50 } })).items.map(({ id }) => id);
  expect(await narrowed({ role: 'admin' })).toEqual(['alice']);
  expect(await narrowed({ role: 'auditor' })).toEqual([]);
  expect(await narrowed({ usernames: ['Dave', 'bob', 'nobody'] })).toEqual(['bob', 'dave']);
  expect(await narrowed({ status: 'suspended' })).toEqual(['dave']);
  expect(await narrowed({ status: 'active', role: 'user', q: 'o' })).toEqual(['bob', 'carol']);
});

test('the list can be narrowed by standing, kind, second factor, and by when people came and were last there', async () => {
  const log = new Recorder();
  const register = (id: string, origin: 'registration' | 'bot' = 'registration') => {
    const data = { username: id, displayName: id, email: null, role: 'user', origin } as const;
    return log.user(id, { type: 'UserRegistered', data });
  };
  const signIn = (id: string) => log.user(id, { type: 'SessionStarted', data: { sessionId: `of-${id}` } });
  register('erin');
  signIn('erin');
  const { at: finnCame } = register('finn');
  for (const type of ['UserSuspended', 'UserDeactivated'] as const) log.user('finn', { type, data: {} });
  for (const id of ['gina', 'hugo'])
    log.user(register(id).stream.slice(5), { type: 'TotpEnabled', data: { totpId: id } });
  log.user('hugo', { type: 'TotpDisabled', data: {} });
  const { at: ginaSignedIn } = signIn('gina');
  register('robby', 'bot');

  const other = await createReadDatabase();
  try {
    await other.show(log.events);
    const narrowed = async (query: Omit<UsersQuery, 'page'>) =>
      (await everything(1, (page) => findUsers(other, { ...query, page }))).map(({ id }) => id);
    expect(await narrowed({ status: 'suspended' })).toEqual([]);
    expect(await narrowed({ status: 'deactivated' })).toEqual(['finn']);
    expect(await narrowed({ status: 'active', bot: false })).toEqual(['erin', 'gina', 'hugo']);
    expect(await narrowed({ bot: true })).toEqual(['robby']);
    expect(await narrowed({ secondFactor: true })).toEqual(['gina']);
    expect(await narrowed({ secondFactor: false, bot: false })).toEqual(['erin', 'finn', 'hugo']);
    expect(await narrowed({ createdBefore: finnCame })).toEqual(['erin']);
    expect(await narrowed({ createdFrom: finnCame, sort: 'createdAt' })).toEqual(['finn', 'gina', 'hugo', 'robby']);
    expect(await narrowed({ signedInFrom: ginaSignedIn })).toEqual(['gina']);
    expect(await narrowed({ signedInBefore: ginaSignedIn, bot: false })).toEqual(['erin', 'finn', 'hugo']);
    expect(await getUser(other, 'gina')).toMatchObject({ secondFactor: true, signedInAt: ginaSignedIn });
  } finally {
    await other.drop();
  }
});

test('people are found by the address for which somebody vouches, however it is spelled, also where it was recorded otherwise', async () => {
  const log = new Recorder();
  const register = (id: string, email: string | null, origin: UserOrigin) =>
    log.user(id, { type: 'UserRegistered', data: { username: id, displayName: id, email, role: 'user', origin } });
  register('erin', 'Straße@Bücher.example', 'registration');
  register('finn', ' STRASSE@xn--bcher-kva.example\u00a0', 'sso');
  register('gina', 'strasse@bücher.EXAMPLE', 'admin');
  register('hugo', 'strasse@bücher.example', 'registration');
  log.user('hugo', { type: 'IdentityLinked', data: { identityId: 'i1' } });
  register('ines', 'x'.repeat(300), 'sso');
  register('jack', 'strasse@bücher.example', 'admin');
  log.user('jack', { type: 'UserEmailChanged', data: { email: null, how: 'administrator' } });

  const other = await createReadDatabase();
  try {
    await other.show(log.events);
    const found = (...sources: EmailSource[]) => peopleWithEmail(other, 'STRAẞE@bücher.example', sources, 10);
    expect(await found('person')).toEqual(['erin']);
    expect(await found('administrator')).toEqual(['gina']);
    expect(await found('provider', 'administrator')).toEqual(['finn', 'gina', 'hugo']);
    expect(await peopleWithEmail(other, 'straße@bücher.example', ['provider', 'administrator'], 2)).toHaveLength(2);
    expect((await getUser(other, 'finn'))?.email).toBe('STRASSE@xn--bcher-kva.example');
    expect((await getUser(other, 'jack'))?.email).toBeNull();
  } finally {
    await other.drop();
  }
});

test('the list has four orders, each in pages', async () => {
  const names = ['alice', 'bob', 'carol', 'dave'];
  for (const sort of ['username', 'createdAt'] as const) {
    for (const order of ['asc', 'desc'] as const) {
      const users = await everything(2, (page) => findUsers(db, { sort, order, page }));
      expect(users.map(({ id }) => id)).toEqual(order === 'asc' ? names : names.toReversed());
    }
  }
  const { next } = await findUsers(db, { sort: 'createdAt', page: { limit: 1 } });
  const elsewhere = { limit: 1, cursor: next ?? '' };
  await expect(findUsers(db, { sort: 'username', page: elsewhere })).rejects.toThrow(InvalidCursor);
});

test('damaged cursors, and those of other lists, are refused', async () => {
  const cursor = (...parts: unknown[]) => Buffer.from(JSON.stringify(parts)).toString('base64url');
  const damaged = [
    '',
    'x',
    '!',
    cursor(),
    cursor('users'),
    cursor('users username asc', 1, 2),
    cursor('users username asc', 'a'),
    cursor('rooms', '1'),
  ];
  const forged = [
    cursor('users username asc', 'a\u0000', 'b'),
    cursor('users username asc', 'a', '\ud800'),
    cursor('users username asc', 'a'.repeat(1_000), 'b'),
  ];
  for (const bad of [...damaged, ...forged]) {
    await expect(findUsers(db, { page: { limit: 1, cursor: bad } })).rejects.toThrow(InvalidCursor);
  }
});
