export * from './accounts.js';
export * from './administration.js';
export * from './asyncapi.js';
export * from './audit.js';
export type { Call, Tag } from './call.js';
export * from './calls.js';
export * from './csv.js';
export * from './erasures.js';
export * from './errors.js';
export * from './events.js';
export * from './exports.js';
export * from './fields.js';
export * from './frames.js';
export * from './invitations.js';
export * from './lists.js';
export * from './messages.js';
export * from './moderation.js';
export * from './openapi.js';
export * from './operation.js';
export * from './person.js';
export * from './rooms.js';
export * from './scopes.js';
export * from './sessions.js';
export {
  beginInvitedSignOnBody,
  endSignOnBody,
  placeOfSignOnSchema,
  type SignInOptions,
  signInOptionsSchema,
} from './sign-on-calls.js';
export * from './tokens.js';
export * from './user-events.js';
export * from './webhooks.js';
