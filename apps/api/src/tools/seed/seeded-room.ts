import { type Actor, type RoomCommand, type RoomEvent, type RoomState, room, type Visibility } from '@verbatim/domain';
import { directRoomId } from '../../application/rooms/direct-rooms.js';
import type { Chance } from './chance.js';
import { type LogWriter, SeededStream } from './log-writer.js';
import type { MadeUpTalk } from './made-up-talk.js';
import type { PlannedRoom } from './seed-plan.js';

const MINUTE_MS = 60_000;

/** What all seeded rooms use. */
export interface RoomParts {
  readonly writer: LogWriter;
  readonly chance: Chance;
  readonly talk: MadeUpTalk;
  /** Ids of people who can join rooms, in the order in which they registered. */
  readonly people: readonly string[];
  /** The time of the last event at the latest, in milliseconds since 1970. */
  readonly latest: number;
}

/** A message of the current conversation. */
interface Said {
  readonly id: string;
  readonly by: string;
  redacted: boolean;
}

/** One seeded room: who joins it, and what they say. */
export class SeededRoom {
  /** In the order in which they joined. */
  private readonly members: string[] = [];
  private talks = 0;
  /** Time of the last message. */
  private lately = 0;

  private constructor(
    private readonly stream: SeededStream<RoomState, RoomCommand, RoomEvent>,
    private readonly planned: PlannedRoom,
    private readonly parts: RoomParts,
    private readonly visibility: Visibility,
  ) {}

  get id(): string {
    return this.stream.id;
  }

  /** A room of two people; null if those picked have one already. */
  static direct(planned: PlannedRoom, parts: RoomParts, known: ReadonlySet<string>, at: number): SeededRoom | null {
    const [one, other] = [parts.chance.pick(parts.people), parts.chance.pick(parts.people)];
    const id = directRoomId(one, other);
    if (one === other || known.has(id)) return null;
    const made = new SeededRoom(new SeededStream(parts.writer, room, id), planned, parts, 'direct');
    made.stream.do({ type: 'CreateDirectRoom', actor: person(one), peerId: other }, at);
    made.members.push(one, other);
    return made;
  }

  static create(
    planned: PlannedRoom,
    parts: RoomParts,
    { name, visibility }: { readonly name: string; readonly visibility: Exclude<Visibility, 'direct'> },
    at: number,
  ): SeededRoom {
    const { writer, chance, talk, people } = parts;
    const made = new SeededRoom(new SeededStream(writer, room, writer.id(at)), planned, parts, visibility);
    const owner = chance.pick(people);
    const topic = chance.happens(0.6) ? talk.topic() : '';
    const history = visibility === 'public' || chance.happens(0.7) ? 'full' : 'joined';
    const settings = { name, topic, visibility, history, passwordId: null } as const;
    made.stream.do({ type: 'CreateRoom', actor: person(owner), ...settings }, at);
    made.members.push(owner);
    made.grow(at);
    return made;
  }

  /** Some people join, then members talk for a while. */
  converse(messages: number, at: number): void {
    this.talks++;
    this.grow(at);
    const { chance, latest } = this.parts;
    const talking = Array.from({ length: chance.between(2, 6) }, () => this.somebody());
    const said: Said[] = [];
    this.lately = Math.max(this.lately, at);
    for (let n = 0; n < messages; n++) {
      this.lately = Math.min(this.lately + chance.between(2_000, MINUTE_MS), latest);
      said.push(this.say(chance.pick(talking), said, this.lately));
      this.respond(chance.pick(said.slice(-5)), this.lately + 1_000);
    }
    this.forget();
  }

  close(): void {
    if (this.visibility === 'direct') return;
    this.stream.do(
      { type: 'CloseRoom', actor: this.owner, reason: 'Moved to another room.' },
      this.lately + 3 * MINUTE_MS,
    );
  }

  private get owner(): Actor {
    return person(this.members[0] ?? '');
  }

  /** Members who joined earlier say more. */
  private somebody(): string {
    return this.members[Math.floor(this.members.length * this.parts.chance.share() ** 2)] ?? '';
  }

  /** Adds members up to the number that the room should have after this many conversations. */
  private grow(at: number): void {
    if (this.visibility === 'direct') return;
    const { members, talks } = this.planned;
    const wanted = Math.ceil((members * (this.talks + 1)) / (talks + 1));
    for (let tries = 2 * (wanted - this.members.length); tries > 0 && this.members.length < wanted; tries--) {
      const { chance, people } = this.parts;
      const userId = people[Math.floor(people.length * chance.share() ** 1.5)] ?? '';
      if (this.stream.state.members.has(userId)) continue;
      const role = this.members.length % 40 === 4 ? 'moderator' : 'member';
      if (this.visibility === 'public' && role === 'member')
        this.stream.do({ type: 'JoinRoom', actor: person(userId) }, at);
      else this.stream.do({ type: 'AddMember', actor: this.owner, userId, role }, at);
      this.members.push(userId);
    }
  }

  private say(by: string, said: readonly Said[], at: number): Said {
    const { chance, talk, writer } = this.parts;
    const id = writer.id(at);
    const replyTo = said.length > 0 && chance.happens(0.12) ? chance.pick(said).id : null;
    const kind = chance.happens(0.01) ? 'action' : 'text';
    this.stream.do({ type: 'PostMessage', actor: person(by), messageId: id, text: talk.next(), replyTo, kind }, at);
    return { id, by, redacted: false };
  }

  /** What may happen to a message: it is liked, edited, reported or redacted. */
  private respond(message: Said, at: number): void {
    const { chance, talk } = this.parts;
    if (message.redacted) return;
    const { id: messageId, by } = message;
    if (chance.happens(0.08)) {
      const emoji = chance.pick(['👍', '❤️', '😄', '🎉', '👀']);
      this.stream.do({ type: 'AddReaction', actor: person(this.somebody()), messageId, emoji }, at);
    }
    if (chance.happens(0.02))
      this.stream.do({ type: 'EditMessage', actor: person(by), messageId, text: talk.next() }, at);
    if (chance.happens(0.002)) this.report(message, at);
    if (chance.happens(0.004)) {
      this.stream.do({ type: 'RedactMessage', actor: person(by), messageId, reason: talk.remark() }, at);
      message.redacted = true;
    }
  }

  /** Some reports stay open, but never so many that the room accepts no more. */
  private report({ id: messageId, by }: Said, at: number): void {
    const { chance, talk, writer } = this.parts;
    const reporter = this.somebody();
    if (this.visibility === 'direct' || reporter === by) return;
    const reportId = writer.id(at);
    this.stream.do({ type: 'ReportMessage', actor: person(reporter), messageId, reportId, reason: talk.remark() }, at);
    const { reports } = this.stream.state.moderation;
    // A second report by the same person is the same report.
    if (!reports.has(reportId) || (reports.size < 10 && chance.happens(0.4))) return;
    const outcome = chance.pick(['dismissed', 'acted'] as const);
    this.stream.do({ type: 'SettleReport', actor: this.owner, reportId, outcome, note: null }, at + MINUTE_MS);
  }

  /** Nobody returns to a finished conversation, so the state can drop its messages to save memory. */
  private forget(): void {
    const { messages, reactions } = room.initialState;
    this.stream.state = { ...this.stream.state, messages, reactions };
  }
}

const person = (id: string): Actor => ({ id, role: 'user' });
