export * from './announcement.js';
export * from './audit-log.js';
export * from './decider.js';
export * from './disclosure.js';
export * from './email-address.js';
export { emojiOf, reactionOf } from './emoji.js';
export {
  type ChatChange,
  type ChatNote,
  type ChatSide,
  type ChatStatus,
  type ChatTurn,
  closeIfAbandoned,
  closeIfOld,
  closeIfSilent,
  type EphemeralChat,
  endChat,
  ephemeralChatLimits,
  joinChat,
  leaveChat,
  openChat,
  otherSide,
  sayInChat,
} from './ephemeral-chat.js';
export * from './erasure.js';
export * from './event-time.js';
export * from './export-request.js';
export * from './invitation.js';
export * from './maintenance.js';
export { fold, nameKey, nameProblem, titleProblem } from './names.js';
export * from './persistent-map.js';
export * from './reader.js';
export * from './recent-window.js';
export * from './recorded.js';
export * from './rejection.js';
export * from './retention.js';
export * from './room/moderation.js';
export { onlyReads } from './room/rights.js';
export * from './room/room.js';
export * from './room/webhooks.js';
export * from './search-query.js';
export {
  codePoints,
  fingerprint,
  isBlank,
  limits,
  normalize,
  textProblem,
  visibleTextProblem,
} from './text.js';
export type * from './user/tokens.js';
export {
  type CreateToken,
  createToken,
  MOST_TOKENS,
  type RevokeToken,
  revokeToken,
  type TokenCommand,
  type TokenCreated,
  type TokenEvent,
  type TokenHolder,
  type TokenRevoked,
  type TokenScope,
} from './user/tokens.js';
export * from './user/user.js';
export { baseForm, isSpacelessPair, searchText, type Word, wordsOf } from './words.js';
