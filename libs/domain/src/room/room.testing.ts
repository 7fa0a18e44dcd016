import type { Actor, ServerRole } from '../decider.js';
import { reactionOf } from '../emoji.js';
import type { Past } from '../given.testing.js';
import {
  contentFingerprint,
  type MessageFacts,
  messagesToLookUp,
  type OlderMessages,
  type ReactionCount,
  type RoomCommand,
  type RoomEvent,
  type RoomRole,
  type RoomSettings,
  type RoomState,
} from './room.js';

// People and events of which stories about rooms are made ------------------------------------------------------------

export const person = (id: string, role: ServerRole = 'user'): Actor => ({ id, role });
export const alice = person('alice');
export const bob = person('bob');
export const carol = person('carol');
/** An administrator of the server; in no room unless he has joined it. */
export const adam = person('adam', 'admin');
/** An auditor of the server. */
export const ada = person('ada', 'auditor');

type RoomPast = Past<RoomEvent>;

/** A public room without a password by default. Its creator joins by a separate event. */
export const created = (by: Actor, settings: Partial<RoomSettings> = {}): RoomPast => ({
  type: 'RoomCreated',
  data: { name: 'Lounge', topic: '', visibility: 'public', history: 'full', passwordId: null, ...settings },
  actor: by.id,
});
export const changed = (by: Actor, settings: Partial<RoomSettings>): RoomPast => ({
  type: 'RoomChanged',
  data: settings,
  actor: by.id,
});
export const joined = (who: Actor, role: RoomRole = 'member'): RoomPast => ({
  type: 'MemberJoined',
  data: { userId: who.id, role },
  actor: who.id,
});
export const left = (who: Actor): RoomPast => ({ type: 'MemberLeft', data: { userId: who.id }, actor: who.id });
export const removed = (who: Actor, by: Actor): RoomPast => ({
  type: 'MemberRemoved',
  data: { userId: who.id, reason: null },
  actor: by.id,
});
export const madeA = (role: RoomRole, who: Actor): RoomPast => ({
  type: 'MemberRoleChanged',
  data: { userId: who.id, role },
});
export const posted = (by: Actor, messageId: string, text = 'Hello', replyTo: string | null = null): RoomPast => ({
  type: 'MessagePosted',
  data: { messageId, text, replyTo, kind: 'text' },
  actor: by.id,
});
export const edited = (by: Actor, messageId: string, text: string): RoomPast => ({
  type: 'MessageEdited',
  data: { messageId, text },
  actor: by.id,
});
export const redacted = (by: Actor, messageId: string, author: Actor): RoomPast => ({
  type: 'MessageRedacted',
  data: { messageId, authorId: author.id, reason: null },
  actor: by.id,
});
export const reacted = (by: Actor, messageId: string, emoji: string): RoomPast => ({
  type: 'ReactionAdded',
  data: { messageId, emoji },
  actor: by.id,
});
export const tookBack = (by: Actor, messageId: string, emoji: string): RoomPast => ({
  type: 'ReactionRemoved',
  data: { messageId, emoji },
  actor: by.id,
});
export const banned = (who: Actor, by: Actor, until: string | null = null): RoomPast => ({
  type: 'MemberBanned',
  data: { userId: who.id, until, reason: null },
  actor: by.id,
});
export const muted = (who: Actor, by: Actor, until: string): RoomPast => ({
  type: 'MemberMuted',
  data: { userId: who.id, until, reason: null },
  actor: by.id,
});
export const slowedTo = (slowModeSeconds: number, by: Actor): RoomPast => ({
  type: 'RoomChanged',
  data: { slowModeSeconds },
  actor: by.id,
});
export const reported = (by: Actor, messageId: string, reportId: string): RoomPast => ({
  type: 'MessageReported',
  data: { reportId, messageId, reason: 'Rude.' },
  actor: by.id,
});
export const closed = (by: Actor): RoomPast => ({ type: 'ChatClosed', data: { reason: null }, actor: by.id });

// Message ids ---------------------------------------------------------------------------------------------------------

/** The `n`th UUIDv7 of a millisecond since 1970 (RFC 9562, section 5.7). */
export function idAt(milliseconds: number, n = 0): string {
  const time = milliseconds.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${n.toString(16).padStart(12, '0')}`;
}

/** The `n`th UUIDv4: it carries no time. */
export const idWithoutTime = (n: number): string => `${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`;

// A read model that forgets nothing -----------------------------------------------------------------------------------

/** All messages of a room, without a limit. Answers the look-ups of commands. */
export class Archive {
  readonly messages = new Map<string, MessageFacts>();
  /** By message, then emoji: who reacted. */
  private readonly reactions = new Map<string, Map<string, Set<string>>>();
  private through = -1n;

  static of(events: readonly RoomEvent[]): Archive {
    const archive = new Archive();
    for (const event of events) archive.record(event);
    return archive;
  }

  record(event: RoomEvent): void {
    const { revision } = event;
    const actor = event.actor ?? '';
    this.through = revision;
    if (event.type === 'MessagePosted') {
      const first = { revision, fingerprint: contentFingerprint(event.data) };
      this.messages.set(event.data.messageId, {
        author: actor,
        posted: first,
        textRevision: revision,
        redacted: false,
      });
    }
    if (event.type === 'MessageEdited') this.change(event.data.messageId, { textRevision: revision });
    if (event.type === 'MessageRedacted') this.change(event.data.messageId, { redacted: true });
    if (event.type === 'ReactionAdded') this.peopleWho(event.data).add(actor);
    if (event.type === 'ReactionRemoved') this.peopleWho(event.data).delete(actor);
  }

  /** The command with what it has to look up, if anything. */
  inform<C extends RoomCommand>(command: C, state: RoomState): C {
    const ids = messagesToLookUp(command, state);
    return ids.length > 0 ? { ...command, older: this.lookUp(ids, command.actor) } : command;
  }

  /** What is known of these messages now, with the reactions of the one who asks. */
  lookUp(ids: readonly string[], asker: Actor): OlderMessages {
    const found = ids.flatMap((id) => {
      const facts = this.messages.get(id);
      return facts ? [[id, { ...facts, reactions: this.reactionsTo(id, asker) }] as const] : [];
    });
    return { through: this.through, asked: new Set(ids), messages: new Map(found) };
  }

  /** Every emoji with which somebody reacts to a message now. */
  reactionsTo(messageId: string, asker: Actor): ReactionCount[] {
    return [...(this.reactions.get(messageId) ?? [])]
      .filter(([, people]) => people.size > 0)
      .map(([emoji, people]) => ({ emoji, count: people.size, mine: people.has(asker.id) }));
  }

  private peopleWho({ messageId, emoji }: { readonly messageId: string; readonly emoji: string }): Set<string> {
    const ofMessage = this.reactions.get(messageId) ?? new Map<string, Set<string>>();
    this.reactions.set(messageId, ofMessage);
    const people = ofMessage.get(reactionOf(emoji)) ?? new Set();
    ofMessage.set(reactionOf(emoji), people);
    return people;
  }

  private change(messageId: string, facts: Partial<MessageFacts>): void {
    const before = this.messages.get(messageId);
    if (before) this.messages.set(messageId, { ...before, ...facts });
  }
}
