import type { Actor, Decision, Erasable, Happened } from '../decider.js';
import { emailAddress, emailKey } from '../email-address.js';
import { reject } from '../rejection.js';
import type { UserState } from './state.js';

// Events ------------------------------------------------------------------------------------------------------------

/**
 * How an account got or lost its address. `administrator`: set or cleared by one. `provider`: the person signed in with it at
 * the identity provider, which has verified it. `claimed`: someone else verified it; this account had only named it.
 */
export type UserEmailChanged = Happened<'UserEmailChanged', { readonly email: Erasable; readonly how: EmailChangeWay }>;
export type EmailChangeWay = 'administrator' | 'provider' | 'claimed';

export function evolveEmail(state: UserState, { data: { email, how } }: UserEmailChanged): UserState {
  return { ...state, email: storedEmail(email), emailSource: how === 'claimed' ? 'person' : how };
}

/** Addresses recorded before validation existed are converted to the current form if they are valid. */
export const storedEmail = (email: Erasable): Erasable => email && (emailAddress(email) ?? email);

// Commands ----------------------------------------------------------------------------------------------------------

interface By {
  readonly actor: Actor | null;
}
/** The person signed in at an identity provider, which has verified this address. One set by an administrator stays. */
export type ConfirmEmail = By & { readonly type: 'ConfirmEmail'; readonly email: string };
/** Someone else has proved that this address is theirs. An account that only named it loses it. */
export type GiveUpEmail = By & { readonly type: 'GiveUpEmail'; readonly email: string };

export type EmailCommand = ConfirmEmail | GiveUpEmail;

// Decisions ---------------------------------------------------------------------------------------------------------

export function confirmEmail({ email }: ConfirmEmail, state: UserState): Decision<UserEmailChanged> {
  if (isNoAddress(email)) return noAddress;
  if (state.emailSource === 'administrator') return { events: [] };
  if (state.emailSource === 'provider' && sameEmail(email, state.email)) return { events: [] };
  return { events: [{ type: 'UserEmailChanged', data: { email: storedEmail(email), how: 'provider' } }] };
}

export function giveUpEmail({ email }: GiveUpEmail, state: UserState): Decision<UserEmailChanged> {
  if (state.emailSource !== 'person' || !sameEmail(email, state.email)) return { events: [] };
  return { events: [{ type: 'UserEmailChanged', data: { email: null, how: 'claimed' } }] };
}

export const noAddress = reject('Invalid', 'This is not a valid e-mail address.');

export const isNoAddress = (email: string | null): boolean => email !== null && emailAddress(email) === null;

const sameEmail = (email: string, other: Erasable): boolean => other !== null && emailKey(email) === emailKey(other);
