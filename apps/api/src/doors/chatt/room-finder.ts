import type { QueryBus } from '@nestjs/cqrs';
import { isRejection, nameKey, type Rejection } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { RoomAtHandQuery, type RoomOfName, RoomOfNameQuery } from '../../application/rooms/reach-queries.js';
import { roomOfMadeName } from './room-topics.js';

/** Rooms cached by name; about 200 bytes each. */
const REMEMBERED = 20_000;

/** Finds a room by its name in topics, without checking who may see it. */
export class RoomFinder {
  private readonly byKey = new LRUCache<string, string>({ max: REMEMBERED });

  constructor(private readonly queries: QueryBus) {}

  async find(name: string): Promise<RoomOfName | Rejection> {
    const made = roomOfMadeName(name);
    if (made !== null) return { roomId: made };
    const key = nameKey(name);
    const known = this.byKey.get(key);
    if (known !== undefined && (await this.isCalled(known, key))) return { roomId: known };
    const found = await this.queries.execute(new RoomOfNameQuery(name));
    if (!isRejection(found) && found.roomId !== null) this.byKey.set(key, found.roomId);
    return found;
  }

  private async isCalled(roomId: string, key: string): Promise<boolean> {
    const { status, name, visibility } = await this.queries.execute(new RoomAtHandQuery(roomId, ''));
    const unique = visibility === 'public' || visibility === 'private';
    return status === 'open' && unique && nameKey(name ?? '') === key;
  }
}
