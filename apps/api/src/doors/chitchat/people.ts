import type { QueryBus } from '@nestjs/cqrs';
import { nameKey } from '@verbatim/domain';
import { LRUCache } from 'lru-cache';
import { GetAccountQuery } from '../../application/accounts/account-queries.js';
import type { Presence } from '../../live/presence/presence.js';
import { colors, DEFAULT_COLOR } from './colors.js';
import type { Look } from './frames.js';
import type { Seats } from './seats.js';

/** Cached names of people, and for how many milliseconds. Names of guests change only if administrators change them. */
const NAMES = { max: 10_000, ttl: 30_000 };
/** The same for colours, which people may change at another replica. */
const COLORS = { max: 10_000, ttl: 3_000 };

/** A person in a room. */
export interface Present extends Look {
  readonly userId: string;
  readonly activeAt: Date;
}

interface Known {
  readonly name: string;
  readonly guest: boolean;
  readonly verified: boolean;
}

/** Who is in a room, and how people appear there: guests under the name that they typed, others under their usernames. */
export class People {
  private readonly names = new LRUCache<string, Promise<Known>>(NAMES);
  private readonly colors = new LRUCache<string, string>(COLORS);

  constructor(
    private readonly queries: QueryBus,
    private readonly seats: Seats,
    private readonly presence: Presence,
  ) {}

  /** How these people appear in a room. */
  async look(roomId: string, userIds: Iterable<string>): Promise<ReadonlyMap<string, Look>> {
    const ids = [...new Set(userIds)];
    const unknown = ids.filter((id) => !this.colors.has(`${roomId} ${id}`));
    // Messages are shown even while the database is down.
    const seated = await this.seats.colors(roomId, unknown).catch(() => new Map<string, string>());
    return new Map(
      await Promise.all(
        ids.map(async (id): Promise<[string, Look]> => {
          const color = this.colors.get(`${roomId} ${id}`) ?? seated.get(id);
          const look = await this.lookOf(id, color);
          this.colors.set(`${roomId} ${id}`, look.color);
          return [id, look];
        }),
      ),
    );
  }

  /** A person has joined or changed colour, so cached data may be outdated. */
  forget(roomId: string, userId: string): void {
    this.colors.delete(`${roomId} ${userId}`);
  }

  /** Who is in a room, at this door and, as far as presence knows, at the others. */
  async in(roomId: string): Promise<Present[]> {
    const seats = await this.seats.of(roomId);
    const seated = new Set(seats.map(({ userId }) => userId));
    const others = this.presence.peopleIn(roomId).filter(({ id }) => !seated.has(id));
    const colored = await this.seats.colors(
      roomId,
      others.map(({ id }) => id),
    );
    const people = await Promise.all([
      ...seats.map(({ userId, color, activeAt }) => this.present(userId, color, activeAt)),
      ...others.map(async ({ id }) => {
        // Guests of this door have seats; presence notices a moment later that they have left.
        const hasGone = colored.has(id) && (await this.known(id)).guest;
        return hasGone ? null : this.present(id, colored.get(id), new Date());
      }),
    ]);
    return people.filter((one) => one !== null);
  }

  private async present(userId: string, color: string | undefined, activeAt: Date): Promise<Present> {
    return { userId, activeAt, ...(await this.lookOf(userId, color)) };
  }

  /** Whether another person in the room appears under this name, in any case. */
  async isNameTaken(
    roomId: string,
    { userId, name }: { readonly userId: string; readonly name: string },
  ): Promise<boolean> {
    const key = nameKey(name);
    return (await this.in(roomId)).some((other) => other.userId !== userId && nameKey(other.name) === key);
  }

  private async lookOf(userId: string, color: string | undefined): Promise<Look> {
    const { name, guest, verified } = await this.known(userId);
    return { name, color: color ?? (guest ? DEFAULT_COLOR : colorFor(userId)), verified };
  }

  private known(userId: string): Promise<Known> {
    const known =
      this.names.get(userId) ??
      this.queries.execute(new GetAccountQuery(userId)).then(({ username, displayName, guest, bot }) => ({
        name: guest ? (displayName ?? '') : username,
        guest,
        verified: !guest && !bot,
      }));
    this.names.set(userId, known);
    known.catch(() => this.names.delete(userId));
    return known;
  }
}

/** People of other doors have chosen no colour; each always gets the same. */
const colorFor = (userId: string): string =>
  colors[Number.parseInt(userId.slice(-4), 16) % colors.length] ?? DEFAULT_COLOR;
