import { isUtf8 } from 'node:buffer';
import { emailAddress } from '@verbatim/domain';
import { displayName, newPassword, username } from '@verbatim/protocol';
import { formError } from './envelope.js';

/** Fields of a body that are read; the longest form has six. */
const MAX_FIELDS = 50;

/** The fields of a form; the first of several with the same name counts. */
export type Form = ReadonlyMap<string, string>;

export const noForm: Form = new Map();

/** Reads a body of type `application/x-www-form-urlencoded`. Invalid UTF-8 becomes the replacement character. */
export function readForm(body: Buffer): Form {
  const form = new Map<string, string>();
  if (!isUtf8(body)) return form;
  for (const [name, value] of new URLSearchParams(body.toString('utf8'))) {
    if (form.size >= MAX_FIELDS) break;
    if (!form.has(name)) form.set(name, value);
  }
  return form;
}

/** The data of a registration, in the form in which it is stored. */
export interface Registrant {
  readonly firstName: string;
  readonly lastName: string;
  readonly username: string;
  readonly password: string;
  readonly email: string;
  readonly phone: string;
}

/** A field's value in its stored form, or what is wrong with it. */
type Checked = { readonly value: string } | { readonly problem: string };

const valid = (value: string): Checked => ({ value });
const wrong = (problem: string): Checked => ({ problem });

const required = wrong('is required');
const noName = wrong('please enter a valid name');
const tooShort = wrong('please enter a password with at least 10 characters');

/** Throws a form error with one entry for each wrong field. */
export function readRegistrant(form: Form): Registrant {
  const { first_name, last_name, ...rest } = checkAll(form, {
    first_name: personalName,
    last_name: personalName,
    username: newUsername,
    password: chosenPassword,
    email: mailbox,
    phone: phoneNumber,
  });
  if (!displayName.safeParse(`${first_name} ${last_name}`).success)
    throw formError({ last_name: 'please enter a valid name' });
  return { firstName: first_name, lastName: last_name, ...rest };
}

/** The credentials of a sign-in. The code of a second factor is our addition. Throws a form error for missing fields. */
export function readCredentials(form: Form): { username: string; password: string; code?: string } {
  const { username, password } = checkAll(form, { username: anything, password: anything });
  const code = form.get('code');
  return { username: username.trim(), password: password.trim(), ...(code && { code }) };
}

function checkAll<K extends string>(form: Form, checks: Record<K, (text: string) => Checked>): Record<K, string> {
  const values: Partial<Record<string, string>> = {};
  const problems: Record<string, string> = {};
  for (const [name, check] of Object.entries<(text: string) => Checked>(checks)) {
    const text = form.get(name) ?? '';
    const checked = text === '' ? required : check(text);
    if ('value' in checked) values[name] = checked.value;
    else problems[name] = checked.problem;
  }
  if (Object.keys(problems).length > 0) throw formError(problems);
  return values as Record<K, string>;
}

const anything = valid;

function personalName(text: string): Checked {
  if (text.trim() === '') return required;
  const read = displayName.safeParse(text);
  return read.success && !unreadable(text) ? valid(read.data) : noName;
}

/** Names that are valid both in the original and here: found in any case, stored in lower case. */
function newUsername(text: string): Checked {
  const name = text.trim();
  const read = username.safeParse(name);
  return isName(name) && read.success ? valid(read.data) : noName;
}

/** A user name as the original has it: a letter, then one or more of letters, digits, underscores. */
export const isName = (text: string): boolean => /^[A-Za-z]\w+$/.test(text);

/** Whether an account of any door may have this name. */
export const isAnyName = (text: string): boolean => isName(text) || username.safeParse(text).success;

function chosenPassword(text: string): Checked {
  const password = text.trim();
  if (/\s/.test(password)) return wrong('please enter a password without any space');
  if (newPassword.safeParse(password).success && !unreadable(password)) return valid(password.normalize('NFC'));
  return [...password].length < 10 ? tooShort : wrong('please enter a valid password');
}

const specials = String.raw`[\w.!#$%&'*+/=?^\x60{|}~-]`;
const mailAddress = new RegExp(
  String.raw`^${specials}+@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]+)$`,
);

/** Characters of an address (RFC 5321, 4.5.3.1.3). */
const MAX_ADDRESS = 254;

function mailbox(text: string): Checked {
  const address = text.trim();
  const stored = address.length <= MAX_ADDRESS && mailAddress.test(address) ? emailAddress(address) : null;
  return stored === null ? wrong('please enter a valid email address') : valid(stored);
}

/** Digits that are kept of a phone number; international ones have 15. */
const MAX_DIGITS = 32;

function phoneNumber(text: string): Checked {
  const phone = text.trim();
  return /^\d+$/.test(phone) && phone.length <= MAX_DIGITS ? valid(phone) : wrong('please enter a valid phone number');
}

/** Invalid UTF-8 arrives as this character, so different passwords would become equal. */
const unreadable = (text: string): boolean => text.includes('\ufffd');
