import { isUtf8 } from 'node:buffer';
import { isPlain } from '../plain-json.js';
import { ChatError, type ErrorNumber } from './answers.js';

/** Who may find and enter a room. */
export type ChatVisibility = 'public' | 'private' | 'hidden';

/** A room as a client describes it. */
export interface RoomBody {
  readonly title: string;
  readonly description: string;
  readonly visibility: ChatVisibility;
}

/** The object in a body, regardless of its content type: browsers send JSON as a form. */
export function objectIn(body: unknown, invalid: ErrorNumber): Readonly<Record<string, unknown>> {
  if (!Buffer.isBuffer(body) || !isUtf8(body)) throw ChatError.of(invalid);
  let json: unknown;
  try {
    json = JSON.parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  } catch {
    throw ChatError.of(invalid);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json) || !isPlain(json)) throw ChatError.of(invalid);
  return json as Readonly<Record<string, unknown>>;
}

/** The text in a field; empty when there is none. Throws if it is not a valid text. */
export function textIn(body: Readonly<Record<string, unknown>>, field: string, invalid: ErrorNumber): string {
  const value = Object.hasOwn(body, field) ? (body[field] ?? '') : '';
  if (typeof value !== 'string' || !value.isWellFormed()) throw ChatError.of(invalid, field);
  return value;
}

/** Of a title and a description, in bytes. */
const TITLE_BYTES = { least: 2, most: 70 };
const DESCRIPTION_BYTES = 70;
/** Of a password, in bytes, and in characters as for every room. */
const PASSWORD_BYTES = 8;
const PASSWORD_CHARACTERS = 200;

/**
 * The room in a body, checked in chitchat's order. `password` returns the password that the room will have ('' for none): a public
 * room must have none, others must have one.
 */
export function roomIn(body: Readonly<Record<string, unknown>>, password: string): RoomBody {
  const [title, description, wanted] = ['title', 'description', 'visibility'].map((field) =>
    textIn(body, field, 105),
  ) as [string, string, string];
  const bytes = Buffer.byteLength(title);
  if (bytes < TITLE_BYTES.least || bytes > TITLE_BYTES.most) throw ChatError.of(105, 'title');
  if (Buffer.byteLength(description) > DESCRIPTION_BYTES) throw ChatError.of(105, 'description');
  const visibility = visibilities.find((known) => known === wanted.toLowerCase());
  if (!visibility) throw ChatError.of(105, 'visibility');
  if (visibility === 'public' && password !== '') throw ChatError.of(105, 'visibility');
  const short = Buffer.byteLength(password) < PASSWORD_BYTES || password.length > PASSWORD_CHARACTERS;
  if (visibility !== 'public' && short) throw ChatError.of(105, 'password');
  return { title: tidy(title), description: description.normalize('NFC'), visibility };
}

const visibilities: readonly ChatVisibility[] = ['public', 'private', 'hidden'];

/** Names have only single spaces, between words; forms do not enforce that. */
const tidy = (title: string): string => title.normalize('NFC').trim().replace(/\s+/gu, ' ');
