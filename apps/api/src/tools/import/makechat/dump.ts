// The output of `mongoexport` for makechat's collections: one document per line, in Extended JSON of any version.

export const collections = ['users', 'members', 'rooms', 'messages'] as const;
export type Collection = (typeof collections)[number];

export interface DumpedUser {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly isSuperuser: boolean;
  readonly isDisabled: boolean;
  readonly created: string | null;
}
/** A record that ties a user to a role; rooms point at such records. */
export interface DumpedMember {
  readonly id: string;
  readonly role: string;
  readonly userId: string;
}
export interface DumpedRoom {
  readonly id: string;
  readonly name: string;
  readonly isVisible: boolean;
  readonly isOpen: boolean;
  /** Ids of member records. */
  readonly members: readonly string[];
  readonly created: string | null;
}
export interface DumpedMessage {
  readonly id: string;
  readonly text: string;
  readonly senderId: string;
  readonly recipientId: string | null;
  readonly rooms: readonly string[];
  readonly created: string | null;
}

/** Something that is not imported, and why. */
export interface Skipped {
  readonly what: string;
  readonly why: string;
}

/** Everything that was exported; `skipped` are lines that cannot be read. */
export interface Dump {
  readonly users: readonly DumpedUser[];
  readonly members: readonly DumpedMember[];
  readonly rooms: readonly DumpedRoom[];
  readonly messages: readonly DumpedMessage[];
  readonly skipped: readonly Skipped[];
}

/** The collection in a file, by its name: `users.json`, `makechat.users.jsonl`; null if it is none of ours. */
export function collectionOf(file: string): Collection | null {
  const name = /(?:^|[/\\.])(\w+)\.jsonl?$/.exec(file)?.[1];
  return collections.find((collection) => collection === name) ?? null;
}

/** Reads the texts of the collections. Duplicate documents count once. */
export function readDump(texts: Readonly<Partial<Record<Collection, string>>>): Dump {
  const skipped: Skipped[] = [];
  const read = <T extends { readonly id: string }>(
    collection: Collection,
    toDocument: (fields: Fields) => T | null,
  ) => {
    const found = new Map<string, T>();
    for (const { fields, what } of documentsIn(texts[collection] ?? '', collection)) {
      const document = fields && toDocument(fields);
      if (!document) skipped.push({ what, why: fields ? 'a field is missing' : 'it is not JSON' });
      else found.set(document.id, document);
    }
    return [...found.values()];
  };
  return {
    users: read('users', userOf),
    members: read('members', memberOf),
    rooms: read('rooms', roomOf),
    messages: read('messages', messageOf),
    skipped,
  };
}

type Fields = Readonly<Record<string, unknown>>;

function* documentsIn(text: string, collection: Collection): Generator<{ fields: Fields | null; what: string }> {
  const plain = text.replace(/^\uFEFF/, '').trim();
  // With --jsonArray all documents are one array.
  const whole = plain.startsWith('[') ? parsed(plain) : undefined;
  if (Array.isArray(whole)) {
    for (const [i, fields] of whole.entries())
      yield { fields: objectIn(fields), what: `${collection}, document ${i + 1}` };
    return;
  }
  for (const [i, line] of plain.split('\n').entries())
    if (line.trim() !== '') yield { fields: objectIn(parsed(line)), what: `${collection}, line ${i + 1}` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const objectIn = (value: unknown): Fields | null =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;

// Documents -----------------------------------------------------------------------------------------------------------

function userOf(fields: Fields): DumpedUser | null {
  const [id, username] = [idIn(fields._id), textIn(fields.username)];
  if (id === null || username === null) return null;
  const { is_superuser: isSuperuser, is_disabled: isDisabled } = fields;
  return {
    ...{ id, username, email: textIn(fields.email), created: timeIn(fields.created) },
    ...{ isSuperuser: isSuperuser === true, isDisabled: isDisabled === true },
  };
}

function memberOf(fields: Fields): DumpedMember | null {
  const [id, role, userId] = [idIn(fields._id), textIn(fields.role), idIn(fields.profile)];
  return id === null || role === null || userId === null ? null : { id, role, userId };
}

function roomOf(fields: Fields): DumpedRoom | null {
  const [id, name] = [idIn(fields._id), textIn(fields.name)];
  if (id === null || name === null) return null;
  const { is_visible: isVisible, is_open: isOpen } = fields;
  return {
    ...{ id, name, members: idsIn(fields.members), created: timeIn(fields.created) },
    ...{ isVisible: isVisible !== false, isOpen: isOpen !== false },
  };
}

function messageOf(fields: Fields): DumpedMessage | null {
  const [id, text, senderId] = [idIn(fields._id), textIn(fields.text), idIn(fields.sender)];
  if (id === null || text === null || senderId === null) return null;
  const [recipientId, created] = [idIn(fields.recipient), timeIn(fields.created)];
  return { id, text, senderId, recipientId, rooms: idsIn(fields.rooms), created };
}

// Extended JSON -------------------------------------------------------------------------------------------------------

const textIn = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** An ObjectId, plain or as `{"$oid": ...}`, or one that a DBRef refers to. */
function idIn(value: unknown): string | null {
  if (typeof value === 'string') return /^[0-9a-f]{24}$/i.test(value) ? value.toLowerCase() : null;
  const { $oid, $id } = objectIn(value) ?? {};
  return $oid === undefined && $id === undefined ? null : idIn($oid ?? $id);
}

const idsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.map(idIn).filter((id): id is string => id !== null) : [];

/** RFC 3339 of a date: in milliseconds, as a text, or as `{"$date": ...}` of these. */
function timeIn(value: unknown): string | null {
  const fields = objectIn(value);
  if (fields) return timeIn(fields.$date ?? (fields.$numberLong === undefined ? null : Number(fields.$numberLong)));
  const time = typeof value === 'string' || typeof value === 'number' ? new Date(value) : null;
  return time && Number.isFinite(time.getTime()) && time.getFullYear() >= 1970 ? time.toISOString() : null;
}
