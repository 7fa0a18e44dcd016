import { isAscii, transcode } from 'node:buffer';
import * as crypto from 'node:crypto';
import { type EventType, happenedAt, parseStream, type Recorded, rulesOf, type SealedFor } from '@verbatim/domain';
import { canonicalJson } from './canonical-json.js';
import type { NewEvent, StoredEvent } from './event-store.js';
import { fewRandomBytes } from './random-bytes.js';
import { upcast } from './upcast.js';

/** An event that was decided and is about to be recorded; its personal fields are still open. */
export interface Draft {
  readonly id: string;
  readonly type: string;
  readonly schema: number;
  readonly at: string;
  /** See `eventTime` in the domain. */
  readonly clockBackMs?: number;
  readonly occurredAt?: string;
  readonly actor: string | null;
  readonly correlation: string;
  /** The door of an older chat system through which it was asked for. */
  readonly door?: string;
  readonly data: object;
}

/** The place at which an event goes into its stream: `prev` is the hash of the event before it. */
export interface Place {
  readonly stream: string;
  readonly revision: bigint;
  readonly prev: string | null;
}

/** The envelope as it is stored, with the personal fields of `data` folded into the one field `sealed`. */
export interface StoredEnvelope extends Omit<Draft, 'data'> {
  readonly stream: string;
  readonly revision: number;
  readonly prev: string | null;
  readonly data: Record<string, unknown> & { readonly sealed?: string };
}

/** The name of the key that seals the personal fields of an event, or null when its type has none. */
export function keyNameOf(
  stream: string,
  event: { type: string; actor: string | null; at: string; occurredAt?: string },
): string | null {
  const kind = sealedForOf(event.type);
  if (kind === null) return null;
  return kind === 'actor' ? keyName(stream, event.actor ?? '', happenedAt(event).slice(0, 10)) : ownKeyName(stream);
}

/** Keys are per stream, person and UTC day, so that each of these can be forgotten on its own. */
const keyName = (stream: string, person: string, day: string): string => `${stream}|${person}|${day}`;

/** The key of what belongs to the room or the account itself. */
export const ownKeyName = (stream: string): string => {
  const { category, id } = parseStream(stream);
  return keyName(stream, category === 'user' ? id : '', '');
};

/**
 * Seals and hashes one event. `key` is the key that `keyNameOf` names; it may be null only where that is null, for
 * otherwise personal fields would be stored open.
 * The hash is SHA-256 over the UTF-8 bytes of the returned text.
 */
export function sealEvent(draft: Draft, place: Place, key: Buffer | null): NewEvent {
  if (!key && sealedForOf(draft.type) !== null)
    throw new Error(`There is no key to seal ${draft.type} ${draft.id} with.`);
  const data = key ? sealFields(draft, place.stream, key) : draft.data;
  const sealed = envelopeText(draft, place, canonicalJson(data));
  return { id: draft.id, type: draft.type, sealed, hash: hashOf(sealed) };
}

/**
 * Opens one stored event. Without its key, or when the key does not fit, personal fields come back as null:
 * that is what forgetting means. Shapes of earlier releases are brought to today's. Whoever has peeked into it already
 * may give what was found there.
 */
export function openEvent(stored: StoredEvent, key: Buffer | null, envelope = peek(stored.sealed)): Recorded {
  return openEventWith(stored, key && eventKey(key, envelope.id), envelope);
}

/** The same with the key of this one event. */
export const openEventWith = (stored: StoredEvent, own: Buffer | null, envelope: StoredEnvelope): Recorded =>
  opened(stored, envelope, openFields(envelope, own) ?? erasedFields(envelope.type, envelope.data));

/** The same, or null where there is something to open that this key does not open. */
export function tryToOpen(stored: StoredEvent, own: Buffer | null, envelope: StoredEnvelope): Recorded | null {
  const fields = openFields(envelope, own);
  return fields && opened(stored, envelope, fields);
}

function opened(stored: StoredEvent, envelope: StoredEnvelope, fields: Record<string, unknown>): Recorded {
  const { sealed: _, ...plain } = envelope.data;
  return recorded(stored, envelope, envelope.prev, upcast(envelope.type, envelope.schema, { ...plain, ...fields }));
}

/** The recorded form of a draft that was just sealed by this process: the same as opening it, without the work. */
export const recordedFrom = (draft: Draft, prev: string | null, stored: StoredEvent): Recorded =>
  recorded(stored, draft, prev, draft.data);

function recorded(stored: StoredEvent, event: Omit<Draft, 'data'>, prev: string | null, data: object): Recorded {
  const { stream, revision, position, hash, sealed } = stored;
  const { id, type, schema, at, clockBackMs, occurredAt, actor, correlation, door } = event;
  const known = { id, type, schema, at, actor, correlation, prev, data, stream, revision, position, hash, sealed };
  if (occurredAt === undefined && clockBackMs === undefined && door === undefined) return known as unknown as Recorded;
  const times = { ...(clockBackMs !== undefined && { clockBackMs }), ...(occurredAt !== undefined && { occurredAt }) };
  return { ...known, ...times, ...(door !== undefined && { door }) } as unknown as Recorded;
}

/** Reads what is needed to find an event's key without opening it. */
export function peek(sealed: string): StoredEnvelope {
  return JSON.parse(sealed) as StoredEnvelope;
}

/** The keys stand in canonical order, so this equals `canonicalJson` of the whole at a fraction of the cost. */
function envelopeText(draft: Draft, place: Place, data: string): string {
  const occurredAt = draft.occurredAt === undefined ? '' : `"occurredAt":${JSON.stringify(draft.occurredAt)},`;
  const clockBackMs = draft.clockBackMs === undefined ? '' : `"clockBackMs":${draft.clockBackMs},`;
  const door = draft.door === undefined ? '' : `"door":${JSON.stringify(draft.door)},`;
  return (
    `{"actor":${draft.actor === null ? 'null' : JSON.stringify(draft.actor)},"at":${JSON.stringify(draft.at)},` +
    `${clockBackMs}"correlation":${JSON.stringify(draft.correlation)},"data":${data},${door}"id":"${draft.id}",${occurredAt}` +
    `"prev":${place.prev === null ? 'null' : `"${place.prev}"`},"revision":${place.revision},"schema":${draft.schema},` +
    `"stream":${JSON.stringify(place.stream)},"type":"${draft.type}"}`
  );
}

/** The hash of an event with this sealed text: SHA-256 over its UTF-8 bytes, 64 hexadecimal digits. */
export const hashOf = (sealed: string): string => crypto.hash('sha256', sealed, 'hex');

// Sealing: AES-256-GCM under a key derived for this one event ------------------------------------------------------------

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** base64url of nonce, cipher text and tag. A nonce of 12 bytes must never be used for two texts under one key. */
export function sealText(text: string, key: Buffer, associated: string, nonce = fewRandomBytes(NONCE_BYTES)): string {
  const cipher = crypto.createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(associated));
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** Undoes `sealText`; null when the key, the associated data or the text is not the one that was sealed. */
export function openText(box: string, key: Buffer, associated: string): string | null {
  const bytes = Buffer.from(box, 'base64url');
  if (bytes.length < NONCE_BYTES + TAG_BYTES) return null;
  try {
    const decipher = crypto.createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES));
    decipher.setAAD(Buffer.from(associated)).setAuthTag(bytes.subarray(-TAG_BYTES));
    const opened = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES));
    // All of it has been given by now; this checks the tag.
    decipher.final();
    return decodeUtf8(opened);
  } catch {
    return null;
  }
}

/**
 * The text of valid UTF-8. `toString` takes 140 us for 8,000 emoji, this way 20; and a text of ASCII keeps to one byte for
 * each character.
 */
const decodeUtf8 = (bytes: Buffer): string =>
  bytes.length < LONG_TEXT_BYTES || isAscii(bytes)
    ? bytes.toString('utf8')
    : transcode(bytes, 'utf8', 'utf16le').toString('utf16le');
const LONG_TEXT_BYTES = 1_024;

/**
 * An event has a key of its own, so that a single message can be forgotten, or shown, while its neighbours stay as they are.
 * `key` is the key that `keyNameOf` names; it cannot be found out from this one.
 */
export function eventKey(key: Buffer, eventId: string): Buffer {
  if (key.length !== KEY_BYTES || Buffer.byteLength(eventId) !== ID_BYTES)
    return crypto.createHmac('sha256', key).update(eventId).digest();
  // HMAC-SHA256 (RFC 2104) by two hashes, since creating an Hmac takes three times as long as all of this.
  for (let i = 0; i < KEY_BYTES; i++) {
    const byte = key[i] as number;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
  inner.write(eventId, BLOCK_BYTES);
  outer.set(sha256(inner), BLOCK_BYTES);
  return sha256(outer);
}

const KEY_BYTES = 32;
const ID_BYTES = 36;
const BLOCK_BYTES = 64;
/** Reused for every key. */
const inner = Buffer.alloc(BLOCK_BYTES + ID_BYTES, 0x36);
const outer = Buffer.alloc(BLOCK_BYTES + KEY_BYTES, 0x5c);

/** Asking Node for a string and copying it takes a third of the time of asking for a buffer. */
const sha256 = (bytes: Buffer): Buffer => Buffer.from(crypto.hash('sha256', bytes, 'binary'), 'latin1');

const associatedData = (event: { id: string; type: string }, stream: string): string =>
  `${stream}|${event.id}|${event.type}`;

function sealFields(draft: Draft, stream: string, key: Buffer): Record<string, unknown> {
  const rules = rulesOf(draft.type) ?? {};
  const data = draft.data as Record<string, unknown>;
  const plain: Record<string, unknown> = {};
  const personal: Record<string, unknown> = {};
  let any = false;
  for (const field in data) {
    const value = data[field];
    const rule = rules[field];
    const sealed = rule?.sealedFor !== undefined && value !== null && value !== undefined;
    if (sealed) personal[field] = value;
    else plain[field] = value;
    if (sealed && rule.standIn !== undefined) plain[field] = rule.standIn;
    any ||= sealed;
  }
  if (any) plain.sealed = sealText(JSON.stringify(personal), eventKey(key, draft.id), associatedData(draft, stream));
  return plain;
}

/** The personal fields of an event, none if none are sealed; null where the key does not open them. */
function openFields(envelope: StoredEnvelope, own: Buffer | null): Record<string, unknown> | null {
  const { sealed: box } = envelope.data;
  if (box === undefined) return {};
  const text = own && openText(box, own, associatedData(envelope, envelope.stream));
  return text === null ? null : (JSON.parse(text) as Record<string, unknown>);
}

function erasedFields(type: string, present: object): Record<string, null> {
  const rules = rulesOf(type) ?? {};
  const personal = Object.keys(rules).filter((field) => rules[field]?.sealedFor !== undefined && !(field in present));
  return Object.fromEntries(personal.map((field) => [field, null]));
}

const sealedForCache = new Map<string, SealedFor | null>();
function sealedForOf(type: string): SealedFor | null {
  let kind = sealedForCache.get(type);
  if (kind === undefined) {
    kind = Object.values(rulesOf(type) ?? {}).find((rule) => rule.sealedFor)?.sealedFor ?? null;
    if (rulesOf(type as EventType)) sealedForCache.set(type, kind);
  }
  return kind;
}
