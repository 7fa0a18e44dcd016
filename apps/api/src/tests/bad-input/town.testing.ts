import { generateKeyPairSync, sign } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { eventually, freshName, password, register, signIn, type TestPerson } from '../harness/test-client.testing.js';
import { startTestService, type TestService } from '../harness/test-service.testing.js';
import { LONG } from './bad-values.testing.js';

/**
 * A service with some life in it, so that what is wrong with a request is the one thing that is meant to be wrong:
 * everything else it names is there.
 */
export interface Town {
  readonly service: TestService;
  /** Sends what is bad: an ordinary user, owner of `room`. */
  readonly owner: TestPerson;
  readonly administrator: TestPerson;
  /** What stands for the parameters of paths, named as in the table of calls. */
  readonly places: Readonly<Record<string, string>>;
  readonly room: string;
  /** A room of the owner that is closed. */
  readonly closedRoom: string;
  /** Rooms in which the owner is not, and a message there. */
  readonly hiddenRoom: string;
  readonly privateRoom: string;
  readonly publicRoom: string;
  readonly foreignMessage: string;
  /** Values of the Authorization header that are nobody's. */
  readonly badCredentials: Readonly<Record<string, string>>;
}

export async function foundTown(): Promise<Town> {
  let hoursAgo = 1;
  const service = await startTestService({ clock: () => new Date(Date.now() - hoursAgo * 3_600_000) });
  const { accessToken: expired } = await register(service.url);
  hoursAgo = 0;
  const owner = await register(service.url);
  const stranger = await register(service.url);
  const friend = await register(service.url);
  const administrator = await signIn(service.url);
  // Twice, so that lists of sessions have a second page.
  for (const { username } of [owner, friend]) await signIn(service.url, { username, password });
  const sessionOf = async (path: string) => (await administrator.get(path)).body.items[0].id as string;

  const [room, closedRoom, messages] = await roomsOf(owner, [friend, administrator]);
  await owner.post(`/v1/rooms/${closedRoom}/close`);
  // The list of the rooms that somebody is in has a second page, too.
  await friend.room();
  const hiddenRoom = await stranger.room({ visibility: 'hidden' });
  const privateRoom = await stranger.room({ visibility: 'private' });
  const publicRoom = await stranger.room();
  const [foreignMessage = ''] = await talk(stranger, publicRoom);
  const [message = ''] = messages;

  const reported = await friend.post(`/v1/rooms/${room}/messages/${message}/reports`, { reason: 'hello' });
  await friend.post(`/v1/rooms/${room}/messages/${messages[1]}/reports`, { reason: 'hello' });
  const banned = await register(service.url);
  for (const { id } of [stranger, banned]) await owner.put(`/v1/rooms/${room}/bans/${id}`);
  const token = await friend.post('/v1/me/tokens', { name: 'hello', scopes: ['read'] });
  const ownToken = await owner.post('/v1/me/tokens', { name: 'hello', scopes: ['read'] });

  const sentTo = { url: 'https://example.org/hello', active: false };
  const webhook = await owner.post(`/v1/rooms/${room}/webhooks`, sentTo);
  const { serverInvitation, roomInvitation } = await invitationsOf(administrator, owner, room);

  const evidence = await evidenceOf(administrator, owner, room, [await stranger.room(), await stranger.room()]);

  const leaver = await register(service.url);
  await leaver.post('/v1/auth/logout');
  return {
    service,
    owner,
    administrator,
    places: {
      '/v1/users/{id}': friend.id,
      '/v1/rooms/{id}': room,
      '/v1/invitations/{id}': serverInvitation,
      '{invitationId}': roomInvitation,
      '/v1/me/sessions/{id}': await sessionOf(`/v1/users/${owner.id}/sessions`),
      '{sessionId}': await sessionOf(`/v1/users/${friend.id}/sessions`),
      '{userId}': friend.id,
      '{tokenId}': token.body.id,
      '{webhookId}': webhook.body.id,
      '/v1/me/tokens/{id}': ownToken.body.id,
      '{messageId}': message,
      '{reportId}': reported.body.id,
      ...evidence,
      '{username}': friend.username,
      '{emoji}': encodeURIComponent('👍'),
    },
    room,
    closedRoom,
    hiddenRoom,
    privateRoom,
    publicRoom,
    foreignMessage,
    badCredentials: badCredentials({
      good: owner.accessToken,
      expired,
      revoked: leaver.accessToken,
      refresh: owner.refreshToken,
    }),
  };
}

/** Two rooms with the same people, the first with messages: enough for every list to have a second page. */
async function roomsOf(owner: TestPerson, others: readonly TestPerson[]): Promise<[string, string, string[]]> {
  const room = await owner.room();
  const other = await owner.room();
  for (const person of others) await person.post(`/v1/rooms/${room}/members`, {});
  return [room, other, await talk(owner, room)];
}

/** Two exports that are done, and two erasures that two holds forbid. */
async function evidenceOf(
  administrator: TestPerson,
  owner: TestPerson,
  room: string,
  forgotten: readonly string[],
): Promise<Record<string, string>> {
  const reason = 'hello';
  const last = { export: '', erasure: '', hold: '' };
  for (const other of forgotten) {
    last.export = (await owner.post('/v1/exports', { room, reason })).body.id;
    last.hold = (await administrator.post('/v1/holds', { room: other, reason })).body.id;
    last.erasure = (await administrator.post('/v1/erasures', { room: other, ground: 'other', reason })).body.id;
  }
  await eventually(
    async () => (await owner.get('/v1/exports')).body.items,
    (items: { status: string }[]) => items.every(({ status }) => status === 'done'),
  );
  return {
    '/v1/exports/{id}': last.export,
    '/v1/erasures/{id}': last.erasure,
    '/v1/holds/{id}': last.hold,
  };
}

/** Two invitations to the server, one of them used twice, and two to the room. */
async function invitationsOf(administrator: TestPerson, owner: TestPerson, room: string) {
  await administrator.post('/v1/invitations');
  const { body: server } = await administrator.post('/v1/invitations', { uses: null });
  for (const username of [freshName(), freshName()])
    await owner.post('/v1/auth/register', { username, password, invitation: server.code });
  await owner.post(`/v1/rooms/${room}/invitations`);
  const { body: toRoom } = await owner.post(`/v1/rooms/${room}/invitations`);
  return { serverInvitation: server.id as string, roomInvitation: toRoom.id as string };
}

async function talk(person: TestPerson, room: string): Promise<string[]> {
  const posted = [];
  for (const text of ['hello', 'hello hello', 'hello again'])
    posted.push(await person.post(`/v1/rooms/${room}/messages`, { text }));
  return posted.map(({ body }) => body.id as string);
}

interface Tokens {
  readonly good: string;
  readonly expired: string;
  readonly revoked: string;
  readonly refresh: string;
}

function badCredentials({ good, expired, revoked, refresh }: Tokens): Record<string, string> {
  const [head = '', claims = '', signature = ''] = good.split('.');
  const sameButFor = (changes: object) =>
    part({ ...(JSON.parse(Buffer.from(claims, 'base64url').toString()) as object), ...changes });
  const unsigned = `${part({ alg: 'none' })}.${claims}.`;
  const foreign = `${head}.${claims}.${sign(null, Buffer.from(`${head}.${claims}`), generateKeyPairSync('ed25519').privateKey).toString('base64url')}`;
  return {
    'no token': 'Bearer',
    'an empty token': 'Bearer  ',
    'another scheme': `Basic ${Buffer.from('admin:administrator').toString('base64')}`,
    'the scheme left out': good,
    'two tokens': `Bearer ${good} ${good}`,
    'an expired token': `Bearer ${expired}`,
    'a revoked token': `Bearer ${revoked}`,
    'a refresh token': `Bearer ${refresh}`,
    'a token of another issuer': `Bearer ${foreign}`,
    'an unsigned token': `Bearer ${unsigned}`,
    'a cut token': `Bearer ${good.slice(0, -8)}`,
    "another person's claims": `Bearer ${head}.${sameButFor({ sub: uuidv7() })}.${signature}`,
    'a token that lasts': `Bearer ${head}.${sameButFor({ exp: 9_999_999_999 })}.${signature}`,
    'odd claims': `Bearer ${head}.${part([1e21])}.${signature}`,
    'many dots': `Bearer ${'.'.repeat(1_000)}`,
    'a long token': `Bearer ${LONG.repeat(4_000)}`,
    'bytes beyond ASCII': 'Bearer \xff\xfe\xf6',
  };
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
