import type { MemberRoleChanged, Recorded, RoomRole, RoomSettings, ServerRole } from '@verbatim/domain';
import type { Page, PageRequest } from './page.js';
import { Recorder } from './recorder.testing.js';

/** Tells what happened in a chat, in the words in which one would say it. People are named by their ids. */
export class Chat {
  private readonly log = new Recorder();

  get events(): readonly Recorded[] {
    return this.log.events;
  }

  registers(id: string, displayName: string | null = id.toUpperCase(), role: ServerRole = 'user'): this {
    const data = { username: id, displayName, email: `${id}@example.org`, role, origin: 'registration' as const };
    this.log.user(id, { type: 'UserRegistered', data });
    return this;
  }

  suspends(id: string): this {
    this.log.user(id, { type: 'UserSuspended', data: {} });
    return this;
  }

  creates(who: string, room: string, settings: Partial<RoomSettings> = {}): this {
    const data: RoomSettings = {
      name: room,
      topic: '',
      visibility: 'public',
      history: 'full',
      passwordId: null,
      ...settings,
    };
    this.log.room(room, who, { type: 'RoomCreated', data });
    return this.joins(who, room, 'owner');
  }

  changes(who: string, room: string, settings: Partial<RoomSettings>): this {
    this.log.room(room, who, { type: 'RoomChanged', data: settings });
    return this;
  }

  closes(who: string, room: string): this {
    this.log.room(room, who, { type: 'ChatClosed', data: { reason: null } });
    return this;
  }

  joins(who: string, room: string, role: RoomRole = 'member'): this {
    this.log.room(room, who, { type: 'MemberJoined', data: { userId: who, role } });
    return this;
  }

  leaves(who: string, room: string): this {
    this.log.room(room, who, { type: 'MemberLeft', data: { userId: who } });
    return this;
  }

  gives(data: MemberRoleChanged['data'], room: string): this {
    this.log.room(room, null, { type: 'MemberRoleChanged', data });
    return this;
  }

  posts(who: string, room: string, messageId: string, text: string | null = messageId, occurredAt?: string): this {
    this.log.room(
      room,
      who,
      { type: 'MessagePosted', data: { messageId, text, replyTo: null, kind: 'text' } },
      occurredAt,
    );
    return this;
  }

  replies(who: string, room: string, messageId: string, replyTo: string): this {
    this.log.room(room, who, { type: 'MessagePosted', data: { messageId, text: messageId, replyTo, kind: 'action' } });
    return this;
  }

  edits(who: string, room: string, messageId: string, text: string | null): this {
    this.log.room(room, who, { type: 'MessageEdited', data: { messageId, text } });
    return this;
  }

  redacts(who: string, room: string, messageId: string, authorId = who): this {
    this.log.room(room, who, { type: 'MessageRedacted', data: { messageId, authorId, reason: null } });
    return this;
  }

  reacts(who: string, room: string, messageId: string, emoji: string): this {
    this.log.room(room, who, { type: 'ReactionAdded', data: { messageId, emoji } });
    return this;
  }

  /** Anything else. */
  happens(room: string, who: string, fact: Parameters<Recorder['room']>[2]): this {
    this.log.room(room, who, fact);
    return this;
  }

  takesBack(who: string, room: string, messageId: string, emoji: string): this {
    this.log.room(room, who, { type: 'ReactionRemoved', data: { messageId, emoji } });
    return this;
  }
}

/** Everything a list holds, fetched in pages of `limit`. */
export async function everything<T>(limit: number, list: (page: PageRequest) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined, pages = 0; pages < 1_000; pages++) {
    const page = await list({ limit, ...(cursor && { cursor }) });
    items.push(...page.items);
    if (page.next === null) return items;
    if (page.items.length !== limit) throw new Error('A page that is not the last is not full.');
    cursor = page.next;
  }
  throw new Error('The list has no end.');
}
