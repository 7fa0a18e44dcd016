import { type UserEvent, view } from '@verbatim/domain';
import { describe, expect, it } from 'vitest';
import { storedUserEventSchema, userEventTypes } from './user-events.js';

const someId = '01985f6e-7a2c-7000-8000-0000000000a1';

/** One event of each type as the log holds it, as full as it gets. */
const dataOf: { [E in UserEvent as E['type']]: E['data'] } = {
  UserRegistered: { username: 'ada', displayName: 'Ada', email: 'ada@example.org', role: 'user', origin: 'sso' },
  UserAbandoned: {},
  UserChanged: { displayName: 'Countess' },
  UserEmailChanged: { email: null, how: 'claimed' },
  UserRoleChanged: { role: 'auditor' },
  UserSuspended: {},
  UserReinstated: {},
  UserDeactivated: {},
  UserReactivated: {},
  SessionStarted: { sessionId: someId, how: 'password' },
  SessionRevoked: { sessionId: someId, cause: 'expired' },
  PasswordChanged: { how: 'removed' },
  PasswordResetIssued: {},
  TotpEnabled: { totpId: someId },
  TotpDisabled: {},
  RecoveryCodesIssued: {},
  RecoveryCodeUsed: {},
  IdentityLinked: { identityId: someId },
  SignInLockedOut: {},
  TokenCreated: { tokenId: someId, name: 'build', scopes: ['post'], expiresAt: null },
  TokenRevoked: { tokenId: someId },
};

const stored = {
  ...{ id: someId, stream: `user-${someId}`, revision: 3, position: 9, at: '2026-01-31T12:00:00.000Z', actor: null },
  ...{ sealed: '{}', prev: null, hash: 'ab' },
};

describe.each(userEventTypes)('%s', (type) => {
  it.each(['member', 'auditor'] as const)('fits the schema as seen by a %s', (face) => {
    const erased = { ...dataOf[type], ...('displayName' in dataOf[type] && { displayName: null }) };
    for (const data of [dataOf[type], erased]) {
      const event = { ...stored, type, data: view({ type, data }, face) };
      expect(storedUserEventSchema.parse(event)).toEqual(event);
    }
  });
});
