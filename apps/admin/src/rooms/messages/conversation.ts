import type { LiveEvent, Message } from '@verbatim/protocol';

/** The author. The socket sends only the username. */
export interface Author {
  readonly id: string;
  readonly username: string;
  readonly displayName?: string | null;
}

/** Something that was said, as it is shown. */
export interface Said {
  readonly kind: 'said';
  readonly revision: number;
  readonly id: string;
  readonly author: Author;
  /** Null once it was redacted or forgotten. */
  readonly text: string | null;
  readonly at: string;
  readonly edited: boolean;
  readonly redacted: boolean;
}

/** Another event, shown on one line. */
export interface Noted {
  readonly kind: 'noted';
  readonly revision: number;
  readonly what: 'joined' | 'left' | 'was_removed' | 'changed' | 'was_closed';
  /** Who did it; null: the service. */
  readonly who: Author | null;
  readonly at: string;
}

export type Entry = Said | Noted;

/** Entries that are kept at most; when more come, the oldest go. */
export const MOST = 2_000;

/** A page of the history, oldest first, from one that has the newest first. */
export const fromHistory = (messages: readonly Message[]): Entry[] => messages.map(fromMessage).reverse();

/** The same from one that has the oldest first. */
export const fromHistoryUpwards = (messages: readonly Message[]): Entry[] => messages.map(fromMessage);

/** Older entries before those that are shown. */
export const before = (older: readonly Entry[], entries: readonly Entry[]): Entry[] => [...older, ...entries];

/** The entries once these events have happened. Events that the history already contains are skipped. */
export function after(entries: readonly Entry[], events: readonly LiveEvent[]): Entry[] {
  const changed = [...entries];
  for (const event of events) {
    const entry = fromEvent(event);
    if (entry) {
      if ((changed.at(-1)?.revision ?? -1) < entry.revision) changed.push(entry);
    } else revise(changed, event);
  }
  return changed.slice(-MOST);
}

/** The entries after these events, without later messages: for a part of the history. */
export function revised(entries: readonly Entry[], events: readonly LiveEvent[]): Entry[] {
  const changed = [...entries];
  for (const event of events) revise(changed, event);
  return changed;
}

function fromMessage({ id, revision, author, text, postedAt, editedAt, redactedAt }: Message): Said {
  return {
    kind: 'said',
    revision,
    id,
    author,
    text,
    at: postedAt,
    edited: editedAt !== null,
    redacted: redactedAt !== null,
  };
}

function fromEvent({ revision, at, occurredAt, actor, ...fact }: LiveEvent): Entry | null {
  const noted = (what: Noted['what']): Noted => ({ kind: 'noted', revision, what, who: actor, at });
  switch (fact.type) {
    case 'MessagePosted': {
      const { messageId: id, text } = fact.data;
      return {
        kind: 'said',
        revision,
        id,
        author: actor ?? { id: '', username: '' },
        text,
        at: occurredAt ?? at,
        edited: false,
        redacted: text === null,
      };
    }
    case 'MemberJoined':
      return fact.data.userId === actor?.id ? noted('joined') : null;
    case 'MemberLeft':
      return noted('left');
    case 'MemberRemoved':
      return noted('was_removed');
    case 'RoomChanged':
      return noted('changed');
    case 'ChatClosed':
      return noted('was_closed');
    default:
      return null;
  }
}

/** Changes the message that an event is about, if it is shown. */
function revise(entries: Entry[], event: LiveEvent): void {
  if (event.type !== 'MessageEdited' && event.type !== 'MessageRedacted') return;
  const { messageId } = event.data;
  const place = entries.findLastIndex((entry) => entry.kind === 'said' && entry.id === messageId);
  const said = entries[place];
  if (said?.kind !== 'said') return;
  entries[place] =
    event.type === 'MessageRedacted'
      ? { ...said, text: null, redacted: true }
      : { ...said, text: event.data.text, edited: true };
}
