import type { QueryBus } from '@nestjs/cqrs';
import { isRejection, nameKey } from '@verbatim/domain';
import { HeardLastQuery } from '../../application/rooms/reach-queries.js';
import { topicName } from './room-topics.js';
import { shownName } from './shown-names.js';

export const lastInfoLimits = {
  rooms: 200,
  /** As many as the page keeps. */
  textsPerRoom: 50,
  /** Bytes of all texts together; the newest of the rooms that were active last. */
  textBytes: 1_048_576,
} as const;

/** The room in which the page begins. */
const MAIN = 'main';

/** What the page asks for once it is connected. */
export interface LastInfo {
  readonly users: readonly string[];
  readonly rooms: readonly string[];
  readonly messages: Readonly<Record<string, readonly (readonly [author: string, text: string])[]>>;
}

/** For whoever may read nothing. The page needs all members. */
export const noInfo: LastInfo = { users: [], rooms: [], messages: {} };

/** What was said last in the rooms within reach of somebody; null: of anybody. `users` are those who are there. */
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
