import type { QueryBus } from '@nestjs/cqrs';
import { nameKey } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { GetAccountQuery } from '../../application/accounts/account-queries.js';
import type { Presence } from '../../live/presence/presence.js';
import { colors, DEFAULT_COLOR } from './colors.js';
import type { Look } from './frames.js';
import type { Seats } from './seats.js';

/** Rooms and people whose looks are kept in memory, and for how many milliseconds: another replica may change a colour. */
const REMEMBERED = { most: 10_000, ms: 3_000 };

/** Somebody who is in a room. */
export interface Present extends Look {
  readonly userId: string;
  readonly activeAt: Date;
}

/** Who is in a room, and how people appear there: guests under the name that they typed, others under their usernames. */
export class People {
  private readonly looks = new LRUCache<string, Look>({ max: REMEMBERED.most, ttl: REMEMBERED.ms });

  constructor(
    private readonly queries: QueryBus,
    private readonly seats: Seats,
    private readonly presence: Presence,
  ) {}

  /** How these people appear in a room. */
  async look(roomId: string, userIds: Iterable<string>): Promise<ReadonlyMap<string, Look>> {
    const looks = new Map<string, Look>();
    const unknown: string[] = [];
    for (const id of new Set(userIds)) {
      const known = this.looks.get(`${roomId} ${id}`);
      if (known) looks.set(id, known);
      else unknown.push(id);
    }
    if (unknown.length === 0) return looks;
    const colored = await this.seats.colors(roomId, unknown);
    for (const id of unknown) {
      const look = await this.lookOf(id, colored.get(id));
      looks.set(id, look);
      this.looks.set(`${roomId} ${id}`, look);
    }
    return looks;
  }

  /** Somebody has come or changed their colour, so that what is remembered may be wrong. */
  forget(roomId: string, userId: string): void {
    this.looks.delete(`${roomId} ${userId}`);
  }

  /** Who is in a room, at this door and, as far as presence knows, at the others. */
  async in(roomId: string): Promise<Present[]> {
    const seats = await this.seats.of(roomId);
    const seated = new Map(seats.map((seat) => [seat.userId, seat]));
    const others = this.presence.peopleIn(roomId).filter(({ id }) => !seated.has(id));
    const present: Present[] = [];
    for (const { userId, color, activeAt } of seats)
      present.push({ userId, activeAt, ...(await this.lookOf(userId, color)) });
    for (const { id } of others) {
      const { guest } = await this.queries.execute(new GetAccountQuery(id));
      // A guest of this door has a seat; presence is told a moment later that they have gone.
      if (!guest || !(await this.isOurs(roomId, id)))
        present.push({ userId: id, activeAt: new Date(), ...(await this.lookOf(id, undefined)) });
    }
    return present;
  }

  /** Whether somebody else in the room appears under this name, whatever its case. */
  async isNameTaken(
    roomId: string,
    { userId, name }: { readonly userId: string; readonly name: string },
  ): Promise<boolean> {
    const key = nameKey(name);
    return (await this.in(roomId)).some((other) => other.userId !== userId && nameKey(other.name) === key);
  }

  private async isOurs(roomId: string, userId: string): Promise<boolean> {
    return (await this.seats.colors(roomId, [userId])).has(userId);
  }

  private async lookOf(userId: string, color: string | undefined): Promise<Look> {
    const { username, displayName, guest, bot } = await this.queries.execute(new GetAccountQuery(userId));
    return {
      name: guest ? (displayName ?? '') : username,
      color: color ?? (guest ? DEFAULT_COLOR : colorFor(userId)),
      verified: !guest && !bot,
    };
  }
}

/** People of other doors have chosen no colour; each always gets the same. */
const colorFor = (userId: string): string =>
  colors[Number.parseInt(userId.slice(-4), 16) % colors.length] ?? DEFAULT_COLOR;
