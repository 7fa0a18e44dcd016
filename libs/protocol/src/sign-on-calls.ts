import { z } from 'zod';
import { sessionSchema } from './accounts.js';
import { type Call, noHeaders, sessionHeaders } from './call.js';
import { invitationCode, opaque, parameter, text } from './fields.js';

export const signInOptionsSchema = z.object({
  registration: z.enum(['open', 'invite', 'closed']).describe('Who can register.'),
  singleSignOn: z
    .object({ label: z.string().describe('Label of the button for `GET /v1/auth/sso`.') })
    .nullable()
    .describe('Null if there is none.'),
});
export type SignInOptions = z.output<typeof signInOptionsSchema>;

export const beginSignOnQuery = z.object({
  return: parameter(text(1, 500).optional()).describe(
    'Where the browser goes at the end, whether it succeeds or fails.',
  ),
});
export const beginInvitedSignOnBody = z.object({ invitation: invitationCode });
export const placeOfSignOnSchema = z.object({ address: z.string().describe('Where to send the browser.') });
export const endSignOnBody = z.object({ code: opaque });

/** Signing in with an account elsewhere, by OpenID Connect. */
export const signOnCalls = {
  getSignInOptions: {
    method: 'GET',
    path: '/v1/auth/options',
    tag: 'Single sign-on',
    auth: 'none',
    summary: 'Available ways to sign in',
    answers: { 200: signInOptionsSchema },
    errors: [],
    headers: noHeaders,
  },
  beginSignOn: {
    method: 'GET',
    path: '/v1/auth/sso',
    tag: 'Single sign-on',
    auth: 'none',
    summary: 'Go to the identity provider',
    description:
      'For browsers: sets a cookie and redirects; the person has ten minutes. `not_found` where there is no single sign-on. ' +
      '`return` is where to end in place of `OIDC_RETURN_URL`: that address, `/admin/`, or `/admin/` at one of ' +
      '`ALLOWED_ORIGINS`. Then refusals, from this call on, redirect there as well, with `#sso-error=<code>&trace=<traceId>`; ' +
      'without it they are answered as they are.',
    query: beginSignOnQuery,
    answers: { 302: null },
    errors: ['not_found'],
    headers: noHeaders,
  },
  beginInvitedSignOn: {
    method: 'POST',
    path: '/v1/auth/sso',
    tag: 'Single sign-on',
    auth: 'none',
    summary: 'Go to the identity provider with an invitation',
    description:
      'For browsers, where `registration` is `invite`: sets the cookie and answers where to go. The invitation is used up when ' +
      'the person comes back and has no account here yet; whether it is good shows then.',
    body: beginInvitedSignOnBody,
    answers: { 200: placeOfSignOnSchema },
    errors: ['not_found'],
    headers: noHeaders,
  },
  finishSignOn: {
    method: 'GET',
    path: '/v1/auth/sso/callback',
    tag: 'Single sign-on',
    auth: 'none',
    summary: 'Return from the identity provider',
    description:
      'For browsers, with what the provider adds to the address. Redirects to the application with `#sso-code=...`, which is ' +
      'valid once, for 30 seconds, in the same browser. `unauthenticated` if it was not started in this browser, or the ' +
      'provider did not confirm it; `forbidden` if there is no account for this person, or the invitation is not valid; `maintenance` if an account would ' +
      'have to be created during maintenance. If it was started with `return`, these redirect as well: see `GET /v1/auth/sso`.',
    answers: { 302: null },
    errors: ['not_found', 'unauthenticated', 'forbidden', 'maintenance'],
    headers: noHeaders,
  },
  endSignOn: {
    method: 'POST',
    path: '/v1/auth/sso/session',
    tag: 'Single sign-on',
    auth: 'none',
    summary: 'Exchange the code of a single sign-on for a session',
    description: 'Only with the cookie that came with the code. A suspended or deactivated account is `forbidden`.',
    body: endSignOnBody,
    answers: { 200: sessionSchema },
    errors: ['unauthenticated', 'forbidden'],
    headers: sessionHeaders,
  },
} as const satisfies Record<string, Call>;
