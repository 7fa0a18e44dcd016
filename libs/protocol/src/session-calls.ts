import { type Call, noHeaders } from './call.js';
import * as sessions from './sessions.js';

/** Where a person is signed in, and by what they prove who they are. */
export const sessionCalls = {
  listPublicKeys: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    tag: 'Sessions',
    auth: 'none',
    summary: 'The keys that check access tokens',
    description:
      'A JSON Web Key Set (RFC 7517). A key signs for 30 days, is listed a day before that, and stays until the last ' +
      'token that it signed has ended. That a token is well signed does not tell that its session has not been revoked.',
    answers: { 200: sessions.publicKeysSchema },
    errors: [],
    headers: noHeaders,
  },
} as const satisfies Record<string, Call>;
