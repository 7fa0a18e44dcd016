export { AdvisoryLock } from './advisory-lock.js';
export { type AuditEntry, type AuditQuery, listAuditTrail } from './audit-trail.js';
export type { TargetKind } from './audited-actions.js';
export { BuiltFromAnotherLog, CheckpointMoved } from './checkpoints.js';
export {
  type Conversation,
  conversations,
  type DirectMessage,
  type DirectPerson,
  directMessages,
} from './conversations.js';
export { allDays, type Day, lastDays } from './days.js';
export { deskSchema } from './desk-schema.js';
export { type Comparison, compareWithLog, type Difference } from './differences.js';
export { type InboxEntry, inbox, markRead } from './inbox.js';
export {
  type MemberOfRoom,
  type Membership,
  membersFrom,
  membership,
  membersOf,
  membersOfRooms,
  type RoomMember,
  roomsOf,
} from './members.js';
export {
  type Message,
  type MessageLookup,
  message,
  messageFacts,
  messagesFrom,
  type TimelineQuery,
  textsUpTo,
  timeline,
} from './messages.js';
export {
  cursorKey,
  cursorOf,
  InvalidCursor,
  isId,
  isPlace,
  isRevision,
  keepOf,
  mapPage,
  type Page,
  type PageRequest,
  toPage,
  withEach,
} from './page.js';
export {
  botsIn,
  findUsers,
  getUser,
  getUsers,
  isNameOfPerson,
  listAdministrators,
  lockedOut,
  peopleWithEmail,
  type User,
  type UsersQuery,
  usersFrom,
  type WantedUsers,
} from './people.js';
export { messagesBy } from './posters.js';
export type { Log, Projection, ReadDatabase, Sql, Transaction } from './projection.js';
export { Projector, type ProjectorOptions, type ProjectorStatus } from './projector.js';
export { hasLeft, newestTexts, type RoomWithinReach, roomsWithinReach, type SaidInRoom } from './reach.js';
export { type ProjectionGroup, type ReadModels, readModels, readModelsVersion } from './read-models.js';
export { type LiveSchema, ReadSchemas, type ReadSchemasOptions } from './read-schemas.js';
export { ReadSide, type ReadSideOptions } from './read-side.js';
export {
  type RebuildOptions,
  type RebuildOutcome,
  type RebuildProgress,
  type RebuildUnderWay,
  rebuild,
} from './rebuild.js';
export {
  type MemberThen,
  type MessagesThenQuery,
  type MessageThen,
  membersAt,
  membershipsChanged,
  messagesAt,
  messagesList,
  presentIds,
  type RoomSetting,
  revisionOfCursor,
  settingsAt,
} from './replay.js';
export { countOpenReports, getReport, listReports, type Report, type ReportsQuery } from './reports.js';
export { type Ban, bansOf } from './restraints.js';
export {
  closedRoomHadName,
  getRoom,
  isNameOfRoom,
  listRooms,
  type Room,
  type RoomSort,
  type RoomsFromQuery,
  type RoomsQuery,
  roomsFrom,
  visibilitiesOf,
} from './rooms.js';
export { SealedTexts, type TextsOfLog } from './sealed-texts.js';
export { type SearchQuery, searchMessages } from './search.js';
export { type Counted, MOST_COUNTED, type Stretch } from './stretch.js';
export { plainTexts, type Texts } from './texts.js';
export { botsWithoutWebhook, webhookBotsOf } from './webhook-bots.js';
