import type { QueryBus } from '@nestjs/cqrs';
import { isRejection, nameKey } from '@verbatim/domain';
import { HeardLastQuery } from '../../application/rooms/reach-queries.js';
import { topicName } from './room-topics.js';
import { shownName } from './shown-names.js';

export const lastInfoLimits = {
  rooms: 200,
  /** As many as the page keeps. */
  textsPerRoom: 50,
  /** Bytes of all texts together. The most recently active rooms come first. */
  textBytes: 1_048_576,
} as const;

/** The room that the page shows first. */
const MAIN = 'main';

/** The page loads this once it is connected. */
export interface LastInfo {
  readonly users: readonly string[];
  readonly rooms: readonly string[];
  readonly messages: Readonly<Record<string, readonly (readonly [author: string, text: string])[]>>;
}

/** For clients that may read nothing. The page needs all fields. */
export const noInfo: LastInfo = { users: [], rooms: [], messages: {} };

/** The latest texts of the rooms that a person can read; null: that anyone can read. `users`: the people present. */
export async function lastInfo(queries: QueryBus, userId: string | null, users: readonly string[]): Promise<LastInfo> {
  const { rooms: most, textsPerRoom, textBytes } = lastInfoLimits;
  const heard = await queries.execute(new HeardLastQuery(userId, { rooms: most, textsPerRoom, textBytes }));
  if (isRejection(heard)) return { ...noInfo, users, rooms: [MAIN] };
  const names = new Map(heard.rooms.map((room) => [room.id, topicName(room.id, room)]));
  const messages = new Map<string, [string, string][]>([...names.values()].map((name) => [name, []]));
  for (const { roomId, author, kind, text } of heard.texts)
    messages.get(names.get(roomId) ?? '')?.push([shownName(author), kind === 'action' ? `* ${text}` : text]);
  const rooms = [...names.values()];
  if (!rooms.some((name) => nameKey(name) === MAIN)) rooms.unshift(MAIN);
  return { users, rooms, messages: Object.fromEntries(messages) };
}
