import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  type Actor,
  isRejection,
  type Reader,
  type Recorded,
  type Rejection,
  type RoomSettings,
  readerOf,
  reject,
  roomStream,
} from '@verbatim/domain';
import {
  cursorOf,
  type MemberThen,
  type MessageThen,
  membersAt,
  membershipsChanged,
  messagesAt,
  messagesList,
  type PageRequest,
  presentIds,
  revisionOfCursor,
  settingsAt,
} from '@verbatim/projections';
import { Time } from '../../clock.js';
import { OpenLog } from '../../storage/open-log.js';
import { ReadModels } from '../../storage/read-models.js';
import { Rooms } from '../../write-side/entities.js';
import type { Purpose } from '../../write-side/inspections.js';
import { RoomAccess } from '../rooms/room-access.js';

/** Maximum number of members listed in a room's state; their number is always given. */
const MOST_MEMBERS = 10_000;
/** Ids per page of people who could see its messages; a page has at least one message. */
const MOST_IDS = 20_000;
/** Milliseconds for the read models to catch up with the room. */
const PATIENCE_MS = 3_000;

/** A room as it was at one revision. */
export interface RoomThen {
  readonly revision: bigint;
  /** When the event at this revision was recorded. */
  readonly at: string;
  readonly room: RoomSettings & {
    readonly id: string;
    readonly slowModeSeconds: number;
    readonly closed: boolean;
    readonly memberCount: number;
    readonly createdBy: string | null;
    readonly createdAt: string;
  };
  readonly members: readonly MemberThen[];
  readonly messages: readonly ReplayedMessage[];
  /** Cursor of the next page of messages. */
  readonly next: string | null;
}

export interface ReplayedMessage extends Omit<MessageThen, 'textRevision' | 'replaced'> {
  readonly roomId: string;
  /** Ids of the people who were in the room when it was posted. */
  readonly visibleTo: readonly string[];
}

/** The room at a revision or time (inclusive), for those who may read it; the present if `at` and `before` are absent. */
export class GetRoomStateQuery extends Query<RoomThen | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly at: bigint | string | undefined,
    readonly part: 'first' | 'last',
    readonly page: PageRequest,
  ) {
    super();
  }
}

@QueryHandler(GetRoomStateQuery)
export class GetRoomStateHandler implements IQueryHandler<GetRoomStateQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly rooms: Rooms,
    private readonly log: OpenLog,
    private readonly readModels: ReadModels,
    private readonly time: Time,
  ) {}

  async execute({ roomId, actor, purpose, at, part, page }: GetRoomStateQuery): Promise<RoomThen | Rejection> {
    // Later pages use the revision of the first one, although the room may have new events.
    const place = await this.placeOf(roomId, actor, at ?? revisionOfCursor(page));
    if (isRejection(place)) return place;
    const { revision } = place;
    const room = await this.access.toRead(roomId, actor, 'replay', purpose);
    if (isRejection(room)) return room;
    if (!(await this.readModels.reached(room.position, PATIENCE_MS))) return lagging;
    const then = { room: roomId, revision, visibleFrom: room.reader.from, part, page };
    const { db } = this.readModels;
    const [settings, { members, count }, found] = await Promise.all([
      this.settings(roomId, revision),
      membersAt(db, roomId, revision, MOST_MEMBERS),
      messagesAt(db, then),
    ]);
    const shown = part === 'first' ? found.slice(0, page.limit) : found.slice(-page.limit);
    const { messages, all } = await this.seenBy(roomId, shown, part);
    const end = part === 'first' ? messages.at(-1) : messages[0];
    const more = !all || found.length > page.limit;
    const [time = ''] = await this.log.timesOf(roomStream(roomId), [revision]);
    return {
      revision,
      at: time,
      room: { id: roomId, ...settings, memberCount: count },
      members,
      messages: await this.withTexts(roomId, messages, room.reader),
      next: more && end ? cursorOf(messagesList(then), [`${end.revision}`]) : null,
    };
  }

  /** The requested revision, for those who may read the room then. Questions without an answer are not recorded. */
  private async placeOf(
    roomId: string,
    actor: Actor,
    at: bigint | string | undefined,
  ): Promise<{ readonly revision: bigint } | Rejection> {
    const { state, revision: last } = await this.rooms.newest(roomId);
    const reader = readerOf(state, actor);
    if (isRejection(reader)) return reader;
    if (typeof at === 'string' && at > this.time.now().toISOString()) return beyondTheEnd;
    const revision = typeof at === 'string' ? await this.log.revisionAt(roomStream(roomId), at, last) : (at ?? last);
    if (revision > last) return beyondTheEnd;
    return revision < reader.from ? beforeTheBeginning : { revision };
  }

  private async settings(roomId: string, revision: bigint): Promise<Omit<RoomThen['room'], 'id' | 'memberCount'>> {
    const places = await settingsAt(this.readModels.db, roomId, revision);
    const events = await this.log.readEach(roomStream(roomId), [...new Set(places.values())]);
    const by = new Map(events.map((event) => [event.revision, event]));
    const creation = by.get(places.get('existence') ?? -1n);
    /** Each setting as of its latest event; the creation of a room sets everything except settings introduced later. */
    const set = <T>(
      setting: 'name' | 'topic' | 'visibility' | 'history' | 'passwordId' | 'slowModeSeconds',
      or: T,
    ): T => {
      const { data } = (by.get(places.get(setting) ?? -1n) ?? { data: {} }) as { data: { [setting]?: T } };
      return data[setting] ?? or;
    };
    return {
      name: set<string | null>('name', null),
      topic: set<string | null>('topic', null),
      visibility: set<RoomSettings['visibility']>('visibility', 'public'),
      history: set<RoomSettings['history']>('history', 'full'),
      passwordId: set<string | null>('passwordId', null),
      slowModeSeconds: set<number>('slowModeSeconds', 0),
      closed: places.has('closing'),
      createdBy: creation?.actor ?? null,
      createdAt: creation ? (creation.occurredAt ?? creation.at) : '',
    };
  }

  /** As many messages as fit into a page, with those who could see them; `all`: whether all fit. */
  private async seenBy(roomId: string, found: readonly MessageThen[], part: 'first' | 'last') {
    const { db } = this.readModels;
    const changes = await membershipsChanged(
      db,
      roomId,
      found.map(({ revision }) => revision),
    );
    const sets = new Map<bigint, string[]>();
    const messages: (MessageThen & { visibleTo: readonly string[] })[] = [];
    let ids = 0;
    // Starts at the end where the page begins, so that the rest goes to the next page.
    const order = part === 'first' ? [...found.keys()] : [...found.keys()].reverse();
    for (const i of order) {
      const change = changes[i] as bigint;
      const visibleTo = sets.get(change) ?? (await presentIds(db, roomId, change));
      sets.set(change, visibleTo);
      ids += visibleTo.length;
      if (messages.length > 0 && ids > MOST_IDS) break;
      messages.push({ ...(found[i] as MessageThen), visibleTo });
    }
    if (part === 'last') messages.reverse();
    return { messages, all: messages.length === found.length };
  }

  /** Opens texts that were replaced later from the log, for those who may see them. */
  private async withTexts(
    roomId: string,
    messages: readonly (MessageThen & { visibleTo: readonly string[] })[],
    { face }: Reader,
  ): Promise<ReplayedMessage[]> {
    const wanted = messages.filter(({ replaced }) => replaced).map(({ textRevision }) => textRevision);
    const events = await this.log.readEach(roomStream(roomId), wanted);
    const by = new Map(events.map((event) => [event.revision, event]));
    return messages.map(({ textRevision, replaced, ...message }) => {
      const event = replaced ? by.get(textRevision) : undefined;
      const shown = event !== undefined && face === 'auditor' && message.redactedAt === null;
      return {
        ...message,
        roomId,
        text: shown ? textOf(event) : message.text,
        editedAt: message.editedAt ?? (event && event.type === 'MessageEdited' ? (event.occurredAt ?? event.at) : null),
      };
    });
  }
}

const textOf = (event: Recorded): string | null =>
  event.type === 'MessagePosted' || event.type === 'MessageEdited' ? event.data.text : null;

/** The times of events spaced evenly over a room's stream: where the times are close together, the room was busy. */
export class GetRoomTimelineQuery extends Query<RoomTimeline | Rejection> {
  constructor(
    readonly roomId: string,
    readonly actor: Actor,
    readonly purpose: Purpose,
    readonly points: number,
  ) {
    super();
  }
}

export interface RoomTimeline {
  readonly points: readonly { readonly revision: bigint; readonly at: string }[];
}

@QueryHandler(GetRoomTimelineQuery)
export class GetRoomTimelineHandler implements IQueryHandler<GetRoomTimelineQuery> {
  constructor(
    private readonly access: RoomAccess,
    private readonly log: OpenLog,
  ) {}

  async execute({ roomId, actor, purpose, points }: GetRoomTimelineQuery): Promise<RoomTimeline | Rejection> {
    const room = await this.access.toRead(roomId, actor, 'replay', purpose);
    if (isRejection(room)) return room;
    const [first, last] = [room.reader.from, room.state.revision];
    const steps = BigInt(points - 1);
    const revisions = [
      ...new Set(Array.from({ length: points }, (_, i) => first + ((last - first) * BigInt(i)) / steps)),
    ];
    const times = await this.log.timesOf(roomStream(roomId), revisions);
    return { points: revisions.map((revision, i) => ({ revision, at: times[i] as string })) };
  }
}

const beyondTheEnd = reject('Invalid', 'The room has not reached this point yet.');
const beforeTheBeginning = reject('Invalid', 'There was nothing in the room then that you may read.');
const lagging = reject('Unavailable', 'The read models have not caught up with this room yet.');
