import { nameKey, type UserCommand, type UserEvent, type UserState, user } from '@verbatim/domain';
import type { EventStore, KeyRing } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import { FIRST_ADMINISTRATOR } from '../../application/accounts/first-administrator.js';
import { claimNames, type NameClaim } from '../../storage/vault/bulk-name-claims.js';
import { NameCipher } from '../../storage/vault/name-cipher.js';
import { Chance } from './chance.js';
import { LogWriter, SeededStream } from './log-writer.js';
import { MadeUpNames, MadeUpRoomNames } from './made-up-names.js';
import { MadeUpTalk } from './made-up-talk.js';
import { endOf, type PlannedRoom, planSeed, type SeedOptions, type SeedStep } from './seed-plan.js';
import { type RoomParts, SeededRoom } from './seeded-room.js';

/** The log cannot be seeded. The message is a sentence for the operator. */
export class SeedRefused extends Error {}

export interface SeedParts {
  readonly store: EventStore;
  readonly keys: KeyRing;
  readonly sql: Sql;
}

export interface SeedProgress {
  /** People, rooms and messages. */
  readonly done: number;
  readonly total: number;
  readonly events: number;
}

export interface SeedReport {
  readonly people: number;
  readonly rooms: number;
  readonly messages: number;
  readonly events: number;
}

const HOUR_MS = 3_600_000;
/** Events that are sealed and stored together. */
const BATCH = 4_000;
/** Events that the first administrator may have by then, from signing in. */
const MAX_EVENTS_BEFORE = 500;

/** Rejects with SeedRefused unless the log holds the first administrator and nothing else. */
export async function refuseUsedLog(store: EventStore): Promise<void> {
  const events = await store.readAll(0n, MAX_EVENTS_BEFORE);
  const own = `${user.category}-${FIRST_ADMINISTRATOR}`;
  if (events.length === 0)
    throw new SeedRefused('There is no administrator yet. Start the service once, so that it creates the first one.');
  if (events.length === MAX_EVENTS_BEFORE || events.some(({ stream }) => stream !== own))
    throw new SeedRefused('This log is in use: only one that holds just the first administrator can be seeded.');
}

/**
 * Fills a log with a year of made-up people, rooms and conversations. Names are claimed before the events that take them are
 * stored. Read models are left as they are.
 */
export async function seed(
  parts: SeedParts,
  options: SeedOptions,
  onProgress: (progress: SeedProgress) => void = () => undefined,
): Promise<SeedReport> {
  await refuseUsedLog(parts.store);
  const seeding = new Seeding(parts, options);
  const total = options.users + options.rooms + options.messages;
  let done = 0;
  for (const step of planSeed(options)) {
    seeding.carryOut(step);
    done += step.what === 'talk' ? step.messages : 1;
    if (await seeding.storeSome()) onProgress({ done, total, events: seeding.events });
  }
  await seeding.finish();
  onProgress({ done, total, events: seeding.events });
  return { people: options.users, rooms: options.rooms, messages: options.messages, events: seeding.events };
}

type Account = SeededStream<UserState, UserCommand, UserEvent>;

class Seeding {
  private readonly writer: LogWriter;
  private readonly chance: Chance;
  private readonly names: MadeUpNames;
  private readonly roomNames: MadeUpRoomNames;
  private readonly room: RoomParts & { readonly people: string[] };
  private readonly rooms = new Map<number, SeededRoom>();
  private readonly directRooms = new Set<string>();
  /** Conversations still to come in each room. */
  private readonly talksLeft = new Map<number, number>();
  /** Accounts to be suspended or deactivated at the end. */
  private readonly leaving: { readonly account: Account; readonly how: 'suspended' | 'deactivated' }[] = [];
  private claims: NameClaim[] = [];

  constructor(
    private readonly parts: SeedParts,
    private readonly options: SeedOptions,
  ) {
    const chanceFor = (purpose: string) => new Chance(options.seed, purpose);
    this.chance = chanceFor('people and rooms');
    this.names = new MadeUpNames(chanceFor('names'));
    this.roomNames = new MadeUpRoomNames(chanceFor('room names'));
    this.writer = new LogWriter(parts.store, parts.keys, chanceFor('ids'));
    const talk = new MadeUpTalk(chanceFor('texts'));
    this.room = { writer: this.writer, chance: chanceFor('talks'), talk, people: [], latest: endOf(options) - HOUR_MS };
  }

  get events(): number {
    return this.writer.events;
  }

  carryOut(step: SeedStep): void {
    if (step.what === 'person') this.register(step.at);
    else if (step.what === 'room') this.open(step.room, step.at);
    else this.converse(step.room, step.messages, step.at);
  }

  /** Stores the waiting events if there are enough of them. Returns whether it did. */
  async storeSome(): Promise<boolean> {
    if (this.writer.waiting < BATCH) return false;
    await this.claimNames();
    await this.writer.flush();
    return true;
  }

  async finish(): Promise<void> {
    const actor = { id: FIRST_ADMINISTRATOR, role: 'admin' } as const;
    const at = endOf(this.options) - 1_000;
    for (const { account, how } of this.leaving)
      account.do({ type: 'ChangeUser', actor, userId: account.id, [how]: true }, at);
    await this.claimNames();
    await this.writer.finish();
  }

  private register(at: number): void {
    const { chance } = this;
    const account: Account = new SeededStream(this.writer, user, this.writer.id(at));
    const name = this.names.next();
    const email = chance.happens(0.7) ? `${name.username}@example.org` : null;
    const role = chance.happens(0.000_5) ? 'auditor' : 'user';
    account.do({ type: 'RegisterUser', actor: null, ...name, email, role, origin: 'import' }, at);
    this.claims.push({ kind: 'user', key: nameKey(name.username), owner: account.id });
    if (role === 'user') this.room.people.push(account.id);
    if (chance.happens(0.01)) this.leaving.push({ account, how: chance.happens(0.7) ? 'suspended' : 'deactivated' });
  }

  private open(planned: PlannedRoom, at: number): void {
    const { chance } = this;
    this.talksLeft.set(planned.nth, planned.talks);
    // The largest rooms are not direct ones: two people do not fill them.
    const small = planned.rank > this.options.rooms / 10;
    const direct = small && chance.happens(0.15) ? this.openDirect(planned, at) : null;
    if (direct) return;
    const visibility = chance.pick([
      'public',
      'public',
      'public',
      'public',
      'public',
      'private',
      'private',
      'hidden',
    ] as const);
    const name = this.roomNames.next();
    const room = SeededRoom.create(planned, this.room, { name, visibility }, at);
    if (visibility !== 'hidden') this.claims.push({ kind: 'room', key: nameKey(name), owner: room.id });
    this.rooms.set(planned.nth, room);
  }

  private openDirect(planned: PlannedRoom, at: number): SeededRoom | null {
    const room = SeededRoom.direct(planned, this.room, this.directRooms, at);
    if (!room) return null;
    this.directRooms.add(room.id);
    this.rooms.set(planned.nth, room);
    return room;
  }

  private converse(planned: PlannedRoom, messages: number, at: number): void {
    const room = this.rooms.get(planned.nth);
    const left = (this.talksLeft.get(planned.nth) ?? 0) - 1;
    this.talksLeft.set(planned.nth, left);
    room?.converse(messages, at);
    if (left > 0) return;
    if (this.chance.happens(0.05)) room?.close();
    this.rooms.delete(planned.nth);
  }

  /** Names that are held already can only be those of the first administrator. */
  private async claimNames(): Promise<void> {
    const { keys, sql } = this.parts;
    const claims = this.claims;
    this.claims = [];
    if ((await claimNames(sql, await NameCipher.open(keys), claims)) < claims.length)
      throw new SeedRefused('The first administrator has one of the names; use another --seed.');
  }
}
