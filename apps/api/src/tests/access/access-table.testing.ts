import type { CallName, ClientEvent, ErrorCode } from '@verbatim/protocol';
import { freshName, password, type TestPerson } from '../harness/test-client.testing.js';
import { type Cast, type Column, columns, freshId, type Scene } from './scene.testing.js';

/** What a call or frame is sent with. Parameters of the path that are absent are taken from the scene. */
export interface Sent {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly body?: object;
}

export type Verdict = 'allowed' | ErrorCode;

/** One row: who may, and how it is asked by the one of this column. */
export interface Row {
  readonly verdicts: Readonly<Record<Column, Verdict>>;
  readonly sent: (scene: Scene, column: Column) => Sent | Promise<Sent>;
}

const words: Readonly<Record<string, Verdict>> = {
  '+': 'allowed',
  u: 'unauthenticated',
  f: 'forbidden',
  n: 'not_a_member',
  '0': 'not_found',
  c: 'conflict',
};

/** A row of the table, a letter for each column; `sent` returns what to send, if anything. */
function row(letters: string, sent: Sent | Row['sent'] = {}): Row {
  const verdicts = letters.split(/\s+/).map((letter) => words[letter]);
  if (verdicts.length !== columns.length || verdicts.includes(undefined)) throw new Error(`What is ${letters}?`);
  return {
    verdicts: Object.fromEntries(columns.map((column, i) => [column, verdicts[i]])) as Row['verdicts'],
    sent: typeof sent === 'function' ? sent : () => sent,
  };
}

const body = (of: object): Sent => ({ body: of });
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const text = { text: 'as the table says' };

/** The person's own message, or where they have none that of somebody else. */
const ownMessage = ({ own, message }: Scene, column: Column): string => own[column] ?? message;
/** Somebody who has not used up their password yet, as far as the table goes. */
const credentials = ({ cast }: Scene) => ({ username: cast.newcomer.username, password });

// What a row needs that is not in every scene ----------------------------------------------------------------------------

async function aReport({ cast, room, message }: Scene): Promise<string> {
  const path = `/v1/rooms/${room}/messages/${message}/reports`;
  return (await cast.people.member.post(path, { reason: 'for the table' })).body.id;
}

const elsewhere = { url: 'https://example.org/table', active: false };

const atWebhook = async (scene: Scene): Promise<Sent> => ({ params: { webhookId: (await aWebhook(scene)).id } });

const aWebhook = oncePerScene(
  async ({ cast, room }): Promise<{ id: string }> =>
    (await cast.people.owner.post(`/v1/rooms/${room}/webhooks`, elsewhere)).body,
);

const anIncoming = oncePerScene(
  async ({ cast, room }): Promise<{ id: string; path: string }> =>
    (await cast.people.owner.post(`/v1/rooms/${room}/incoming-webhooks`, { name: 'The table' })).body,
);

/** A room takes only a few webhooks. */
function oncePerScene<T>(make: (scene: Scene) => Promise<T>): (scene: Scene) => Promise<T> {
  const made = new WeakMap<Scene, Promise<T>>();
  return (scene) => {
    const thing = made.get(scene) ?? make(scene);
    made.set(scene, thing);
    return thing;
  };
}

const tokenOf = async (person: TestPerson): Promise<string> =>
  (await person.post('/v1/me/tokens', { name: 'of the table', scopes: ['read'] })).body.id;

const ownToken = ({ cast }: Scene, column: Column): Promise<string> =>
  tokenOf(column === 'nobody' ? cast.target : cast.people[column]);

const targetsToken = ({ cast }: Scene): Promise<string> => tokenOf(cast.target);

const anInvitation = async ({ cast }: Scene): Promise<string> =>
  (await cast.people.admin.post('/v1/invitations', {})).body.id;

const aRoomInvitation = async ({ cast, room }: Scene): Promise<string> =>
  (await cast.people.owner.post(`/v1/rooms/${room}/invitations`, {})).body.id;

async function aBot({ people }: Cast): Promise<string> {
  return (await people.admin.post('/v1/bots', { username: freshName() })).body.id;
}

// The table --------------------------------------------------------------------------------------------------------------

/**
 * Who may call what. `+` allowed, `u` unauthenticated, `f` forbidden, `n` not_a_member, `0` not_found, `c` conflict.
 * The room is private; auditor and administrator are not in it, and give a reason where they read.
 */
export const callTable = {
  //                       nobody
  //                       | outsider
  //                       | | guest
  //                       | | | member
  //                       | | | | moderator
  //                       | | | | | owner
  //                       | | | | | | auditor
  //                       | | | | | | | admin
  register: /*          */ row('+ + + + + + + +', () => body({ username: freshName(), password })),
  login: /*             */ row('+ + + + + + + +', (scene) => body(credentials(scene))),
  refresh: /*           */ row('u u u u u u u u', body({ refreshToken: 'of-nobody' })),
  logout: /*            */ row('u + + + + + + +'),
  makeTicket: /*        */ row('u + + + + + + +'),
  getMe: /*             */ row('u + + + + + + +'),
  changeMe: /*          */ row('u + + + + + + +', body({ displayName: 'Somebody' })),
  getPreferences: /*    */ row('u + + + + + + +'),
  keepPreferences: /*   */ row('u + + + + + + +', body({ preferences: 'of the table' })),
  listUsers: /*         */ row('u + + + + + + +'),
  createUser: /*        */ row('u f f f f f f +', () => body({ username: freshName() })),
  exportUsers: /*       */ row('u f f f f f + +'),
  getUser: /*           */ row('u + + + + + + +'),
  listRoomsOf: /*       */ row('u f f f f f + +'),
  changeUser: /*        */ row('u f f f f f f +', body({ displayName: 'Somebody else' })),

  giveUpAccount: /*     */ row('u f f f f f f f', body({ password: 'wrong password' })),
  listMyEvents: /*      */ row('u + + + + + + +'),
  listUserEvents: /*    */ row('u f f f f f + +'),

  listMySessions: /*    */ row('u + + + + + + +'),
  endMySession: /*      */ row('u 0 0 0 0 0 0 0', () => ({ params: { id: freshId() } })),
  endMyOtherSessions: /**/ row('u + + + + + + +'),
  listSessions: /*      */ row('u f f f f f + +'),
  listAllSessions: /*   */ row('u f f f f f + +'),
  endSession: /*        */ row('u f f f f f f 0', () => ({ params: { sessionId: freshId() } })),
  endSessions: /*       */ row('u f f f f f f 0', () => ({ params: { id: freshId() } })),
  changePassword: /*    */ row(
    'u f f f f f f f',
    body({ currentPassword: 'wrong password', newPassword: 'another password' }),
  ),
  issuePasswordReset: /**/ row('u f f f f f f +'),
  resetPassword: /*     */ row('u u u u u u u u', body({ token: 'of-nobody', newPassword: 'another password' })),
  getTotp: /*           */ row('u + + + + + + +'),
  beginTotp: /*         */ row('u + + + + + + +'),
  confirmTotp: /*       */ row('u f f f f f f f', body({ code: '000000' })),
  removeTotp: /*        */ row('u c c c c c c c', body({ password })),
  removeTotpOf: /*      */ row('u f f f f f f +'),
  renewRecoveryCodes: /**/ row('u c c c c c c c'),
  stepUp: /*            */ row('u f f f f f f f', body({ password: 'wrong password' })),
  listPublicKeys: /*    */ row('+ + + + + + + +'),

  getSignInOptions: /*  */ row('+ + + + + + + +'),
  beginSignOn: /*       */ row('0 0 0 0 0 0 0 0'),
  beginInvitedSignOn: /**/ row('0 0 0 0 0 0 0 0', body({ invitation: 'A'.repeat(32) })),
  finishSignOn: /*      */ row('0 0 0 0 0 0 0 0'),
  endSignOn: /*         */ row('u u u u u u u u', body({ code: 'of-nobody' })),

  createToken: /*       */ row('u + + + + + + +', body({ name: 'of the table', scopes: ['read'] })),
  listTokens: /*        */ row('u + + + + + + +'),
  revokeToken: /*       */ row('u + + + + + + +', async (scene, column) => ({
    params: { id: await ownToken(scene, column) },
  })),
  createBot: /*         */ row('u f f f f f f +', () => body({ username: freshName() })),
  createTokenOf: /*     */ row('u f f f f f f +', async ({ cast }) => ({
    params: { id: await aBot(cast) },
    body: { name: 'of the table', scopes: ['read'] },
  })),
  listTokensOf: /*      */ row('u f f f f f + +'),
  listAllTokens: /*     */ row('u f f f f f + +'),
  revokeTokenOf: /*     */ row('u f f f f f f +', async (scene) => ({
    params: { tokenId: await targetsToken(scene) },
  })),

  createInvitation: /*  */ row('u f f f f f f +', body({})),
  listInvitations: /*   */ row('u f f f f f + +'),
  revokeInvitation: /*  */ row('u f f f f f f +', async (scene) => ({ params: { id: await anInvitation(scene) } })),
  listInvitationUses: /**/ row('u f f f f f + +', async (scene) => ({ params: { id: await anInvitation(scene) } })),
  lookUpInvitation: /*  */ row('0 0 0 0 0 0 0 0', body({ code: 'A'.repeat(32) })),
  createRoomInvitation: /**/ row('u n f f + + f +', body({})),
  listRoomInvitations: /**/ row('u n f f + + + +'),
  revokeRoomInvitation: /**/ row('u n f f + + f +', async (scene) => ({
    params: { invitationId: await aRoomInvitation(scene) },
  })),

  createRoom: /*        */ row('u + + + + + f +', () => body({ name: freshId() })),
  listRooms: /*         */ row('u + + + + + + +'),
  getRoom: /*           */ row('u + + + + + + +'),
  changeRoom: /*        */ row('u n f f f + f +', body({ topic: 'What the table says' })),
  closeRoom: /*         */ row('u n f f f + f +', body({})),
  addMember: /*         */ row('u n f f + + f +', ({ cast }) => body({ userId: cast.newcomer.id })),
  listMembers: /*       */ row('u n + + + + + +'),
  changeMember: /*      */ row('u n f f + + f +', body({ role: 'guest' })),
  removeMember: /*      */ row('u n f f + + f +'),
  openDirect: /*        */ row('u + + + + + f +'),

  postMessage: /*       */ row('u n f + + + f n', body(text)),
  listMessages: /*      */ row('u n + + + + + +'),
  editMessage: /*       */ row('u n f + + + f n', (scene, column) => ({
    params: { messageId: ownMessage(scene, column) },
    body: text,
  })),
  redactMessage: /*     */ row('u n f f + + f +'),
  addReaction: /*       */ row('u n f + + + f n'),
  removeReaction: /*    */ row('u n f + + + f n'),
  markRead: /*          */ row('u n + + + + f n', body({ revision: 0 })),
  getInbox: /*          */ row('u + + + + + + +'),
  searchMessages: /*    */ row('u + + + + + + +', { query: 'q=table' }),
  proveMessage: /*      */ row('u n + + + + + +'),

  listBans: /*          */ row('u n f f + + + +'),
  ban: /*               */ row('u n f f + + f +', body({})),
  unban: /*             */ row('u n f f + + f +'),
  mute: /*              */ row('u n f f + + f +', () => body({ until: inAnHour() })),
  unmute: /*            */ row('u n f f + + f +'),
  transferOwnership: /* */ row('u n f f f + f n', ({ cast }) => body({ userId: cast.target.id })),
  reportMessage: /*     */ row('u n + + + + f n', body({ reason: 'It is in the table.' })),
  listRoomReports: /*   */ row('u n f f + + + +'),
  listReports: /*       */ row('u f f f f f + +'),
  settleReport: /*      */ row('u n f f + + f +', async (scene) => ({
    params: { reportId: await aReport(scene) },
    body: { outcome: 'dismissed' },
  })),

  addWebhook: /*        */ row('u n f f f + f +', body(elsewhere)),
  listWebhooks: /*      */ row('u n f f f + + +'),
  getWebhook: /*        */ row('u n f f f + + +', atWebhook),
  changeWebhook: /*     */ row('u n f f f + f +', async (scene) => ({
    ...(await atWebhook(scene)),
    body: { active: false },
  })),
  removeWebhook: /*     */ row('u n f f f + f +', atWebhook),
  rotateWebhookSecret: /**/ row('u n f f f + f +', atWebhook),
  addIncomingWebhook: /**/ row('u n f f f + f +', body({ name: 'The table' })),
  listIncomingWebhooks: /**/ row('u n f f f + + +'),
  removeIncomingWebhook: /**/ row('u n f f f + f +', async (scene) => ({
    params: { webhookId: (await anIncoming(scene)).id },
  })),
  postToHook: /*        */ row('+ + + + + + + +', async (scene) => ({
    params: { token: (await anIncoming(scene)).path.split('/').at(-1) ?? '' },
    body: text,
  })),

  listEvents: /*        */ row('u n + + + + + +'),

  getRoomState: /*      */ row('u n + + + + + +'),
  getRoomTimeline: /*   */ row('u n + + + + + +'),
  listAuditTrail: /*    */ row('u f f f f f + +'),
  exportAuditTrail: /*  */ row('u f f f f f + +'),
  requestExport: /*     */ row('u n f f f + + +', ({ room }) => body({ room, reason: 'the table' })),
  listExports: /*       */ row('u + + + + + + +'),
  getExport: /*         */ row('u 0 0 0 0 0 0 0', () => ({ params: { id: freshId() } })),
  getExportBundle: /*   */ row('u 0 0 0 0 0 0 0', () => ({ params: { id: freshId() } })),

  requestErasure: /*    */ row('u f f f f f f +', async ({ cast }) => ({
    body: { room: await cast.people.owner.room(), ground: 'other', reason: 'the table' },
  })),
  getErasure: /*        */ row('u f f f f f 0 0', () => ({ params: { id: freshId() } })),
  listErasures: /*      */ row('u f f f f f + +'),
  listHolds: /*         */ row('u f f f f f + +'),
  placeHold: /*         */ row('u f f f f f f +', ({ cast }) => body({ person: cast.target.id, reason: 'the table' })),
  liftHold: /*          */ row('u f f f f f f 0', () => ({ params: { id: freshId() } })),
  getRetention: /*      */ row('u f f f f f + +'),
  setRetentionRule: /*  */ row('u f f f f f f +', body({ visibility: 'hidden', days: null, reason: 'the table' })),
  dryRunRetention: /*   */ row('u f f f f f f +'),
  removeRetentionRule: /**/ row('u f f f f f f 0', () => ({
    params: { id: freshId() },
    body: { reason: 'the table' },
  })),

  getOverview: /*       */ row('u f f f f f + +'),
  getProjections: /*    */ row('u f f f f f + +'),
  rebuildProjections: /**/ row('u f f f f f f +'),
  getSettings: /*       */ row('u f f f f f + +'),
  announce: /*          */ row('u f f f f f f +', body(text)),
  withdrawAnnouncement: /**/ row('u f f f f f f +'),
  beginMaintenance: /*  */ row('u f f f f f f +', body({})),
  endMaintenance: /*    */ row('u f f f f f f +'),

  getLiveness: /*       */ row('+ + + + + + + +'),
  getReadiness: /*      */ row('+ + + + + + + +'),
  getMetrics: /*        */ row('+ + + + + + + +'),
  getAbout: /*          */ row('+ + + + + + + +'),
  getOpenApi: /*        */ row('+ + + + + + + +'),
  getAsyncApi: /*       */ row('+ + + + + + + +'),
} satisfies Record<CallName, Row>;

/** Who may send which frame. Nobody without an account gets as far as a frame: the socket is not opened. */
export const frameTable = {
  follow: /*            */ row('u n + + + + + +'),
  unfollow: /*          */ row('u + + + + + + +'),
  post: /*              */ row('u n f + + + f n', body(text)),
  edit: /*              */ row('u n f + + + f n', (scene, column) =>
    body({ messageId: ownMessage(scene, column), ...text }),
  ),
  redact: /*            */ row('u n f f + + f +', ({ message }) => body({ messageId: message })),
  react: /*             */ row('u n f + + + f n', ({ message }) => body({ messageId: message, emoji: '👍' })),
  join: /*              */ row('u f + + + + f +'),
  leave: /*             */ row('u n + + + c f n'),
  read: /*              */ row('u n + + + + f n', body({ revision: 0 })),
  typing: /*            */ row('u n + + + + f n'),
  watch: /*             */ row('u f f f f f + +'),
  unwatch: /*           */ row('u + + + + + + +'),
  ping: /*              */ row('u + + + + + + +'),
} satisfies Record<ClientEvent, Row>;
