import {
  ERASURES,
  type ErasureScope,
  type ErasureState,
  entangles,
  isHeld,
  isRejection,
  type PendingErasure,
  parseStream,
  type Recorded,
  roomStream,
  userStream,
} from '@verbatim/domain';
import {
  type EventStore,
  eventKey,
  type KeyScope,
  keyNameOf,
  type PostgresKeyRing,
  peek,
  type Sealer,
  type StoredEnvelope,
  tryToOpen,
} from '@verbatim/event-store';
import { AdvisoryLock } from '@verbatim/projections';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { newId } from '../../new-id.js';
import type { ErasedRows } from '../../storage/erased-rows.js';
import type { ReadModels } from '../../storage/read-models.js';
import type { Certificates } from '../../storage/transparency/certificates.js';
import type { Erasures, Rooms, Users } from '../../write-side/entities.js';
import type { AccountChanger } from '../accounts/account-changer.js';

/** Keys destroyed in one transaction, and events of a room read at a time. */
const TOGETHER = 500;
/** Milliseconds for the read models to catch up, before it is tried again later. */
const PATIENCE_MS = 60_000;

export interface EraserParts {
  readonly erasures: Erasures;
  readonly rooms: Rooms;
  readonly users: Users;
  readonly accounts: AccountChanger;
  readonly store: EventStore;
  readonly sealer: Sealer;
  readonly keys: PostgresKeyRing;
  readonly rows: ErasedRows;
  readonly readModels: ReadModels;
  readonly certificates: Certificates;
  readonly direct: Sql;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Carries out erasures, one at a time over all processes. Every step may be repeated, and a process that dies is followed by
 * another at its next look: what is left to do stands in the register.
 */
export class Eraser {
  private running: Promise<void> | null = null;
  private again = false;
  /** Keys destroyed by erasures that this process has seen begin, by the ids of these. */
  private readonly destroyed = new Map<string, number>();

  constructor(private readonly parts: EraserParts) {}

  /** A sink of the feed. Hides at once, in every process, what is being erased. */
  handle(events: readonly Recorded[]): void {
    const { sealer, users, rooms } = this.parts;
    for (const event of events) {
      switch (event.type) {
        case 'TextsErased':
          sealer.renew(event.stream);
          break;
        case 'ErasureBegan':
          this.hide(event.data.erasureId, event.data.scope, event.at);
          break;
        case 'ErasureFinished': {
          const { erasureId, scope } = event.data;
          sealer.unshield(erasureId);
          // What they remember was folded from fields that are gone.
          if (scope.kind === 'person') users.drop(scope.userId);
          if (scope.kind === 'room' || scope.kind === 'days') rooms.drop(scope.roomId);
          break;
        }
        case 'HoldLifted':
        case 'ErasureRequested':
          this.wake();
          break;
      }
    }
  }

  /** Hides what was being erased before this process started. */
  async load(): Promise<void> {
    const { state } = await this.parts.erasures.newest(ERASURES);
    for (const [id, { scope, beganAt }] of state.pending.entries()) if (beganAt !== null) this.hide(id, scope, beganAt);
  }

  /** Looks after what is to be done, soon. */
  wake(): void {
    void this.run().catch((error) =>
      this.parts.log.warn({ err: error }, 'An erasure failed; it is tried again later.'),
    );
  }

  /** Carries out what can be carried out now. */
  run(): Promise<void> {
    this.again = true;
    this.running ??= this.rounds().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async rounds(): Promise<void> {
    while (this.again) {
      this.again = false;
      const { state } = await this.parts.erasures.newest(ERASURES);
      if (state.pending.size === 0) return;
      const lock = await AdvisoryLock.tryTake(this.parts.direct, 'verbatim erasures');
      if (!lock) return;
      try {
        for (const [id, pending] of state.pending.entries()) await this.attempt(id, pending);
      } finally {
        await lock.release();
      }
    }
  }

  /** One that cannot be carried out does not keep the others from it. */
  private async attempt(id: string, pending: PendingErasure): Promise<void> {
    try {
      await this.carryOut(id, pending);
    } catch (error) {
      this.parts.log.warn({ err: error, erasure: id }, 'An erasure failed; it is tried again later.');
    }
  }

  private async carryOut(id: string, { scope, by, ground, requestedAt, beganAt }: PendingErasure): Promise<void> {
    const { erasures, rows, readModels, store, certificates, clock } = this.parts;
    const context = { correlation: newId() };
    const held = await this.entangled(scope);
    if (isHeld(scope, held.state, held.entangled)) return;
    const { entangled, considered } = held;
    const begin = { type: 'BeginErasure', actor: null, erasureId: id, entangled, considered } as const;
    const begun = await erasures.send(ERASURES, begin, context);
    if (isRejection(begun)) {
      // A hold was placed meanwhile.
      if (begun.rejected === 'Conflict') this.again = true;
      return;
    }
    const began = begun.state.pending.get(id)?.beganAt ?? beganAt ?? begun.at;
    if (begun.events > 0) this.destroyed.set(id, 0);
    this.hide(id, scope, began);
    await this.closeDown(scope, by);
    await rows.erase(scope);
    // A hold that was placed meanwhile keeps what is left.
    const still = await this.entangled(scope);
    if (isHeld(scope, still.state, still.entangled)) return;
    const destroyed =
      scope.kind === 'message' ? await this.takeApart(id, scope, by) : await this.destroyKeys(id, scope);
    await rows.forgetCopies(destroyed.streams, destroyed.people);
    const head = await store.head();
    await this.passed(head);
    // What was on its way to the read models when the keys were destroyed has arrived.
    await rows.erase(scope);
    await readModels.reached(head, PATIENCE_MS);
    const statement = {
      ...{ id, scope, ground, by, requestedAt, beganAt: began, finishedAt: clock().toISOString() },
      ...{ keys: destroyed.keys, kept: await this.keptOf(scope) },
    };
    const certificate = await certificates.sign(
      (origin) => `verbatim-erasure/1\n${origin}\n${JSON.stringify(statement)}\n`,
    );
    await erasures.send(ERASURES, { type: 'FinishErasure', actor: null, erasureId: id, certificate }, context);
    this.destroyed.delete(id);
  }

  /** The holds that share something with a scope as only the vault can tell, of those that it was asked about. */
  async entangled(scope: ErasureScope): Promise<Entangled> {
    const { state } = await this.parts.erasures.newest(ERASURES);
    const [entangled, considered]: [string[], string[]] = [[], []];
    for (const [id, { scope: hold }] of state.holds.entries()) {
      if (!entangles(scope, hold)) continue;
      considered.push(id);
      const [person, place] = scope.kind === 'person' ? [scope, hold] : [hold, scope];
      if (person.kind !== 'person' || place.kind === 'person' || place.kind === 'message') continue;
      const pattern = `${roomStream(place.roomId)}|${person.userId}|%`;
      const span = place.kind === 'days' ? { from: place.from, to: place.to } : {};
      if ((await this.parts.keys.namesIn({ pattern, ...span }, 1)).length > 0) entangled.push(id);
    }
    return { state, entangled, considered };
  }

  /** Nothing is opened here from now on that is being erased, if it was recorded before the erasure began. */
  private hide(id: string, scope: ErasureScope, began: string): void {
    this.parts.sealer.shield(id, (envelope) => envelope.at <= began && isWithin(scope, envelope));
  }

  /** Nobody adds to it any more. */
  private async closeDown(scope: ErasureScope, by: string): Promise<void> {
    const { rooms, users, accounts } = this.parts;
    const actor = { id: by, role: 'admin' } as const;
    const context = { correlation: newId() };
    if (scope.kind === 'person' && (await users.newest(scope.userId)).state.status !== 'unborn')
      orThrow(await accounts.change(scope.userId, actor, { deactivated: true }, context));
    if (scope.kind !== 'room') return;
    const { status, visibility } = (await rooms.newest(scope.roomId)).state;
    if (status === 'open' && visibility !== 'direct')
      orThrow(await rooms.send(scope.roomId, { type: 'CloseRoom', actor, reason: null }, context));
  }

  private async destroyKeys(id: string, scope: ErasureScope): Promise<Destroyed> {
    const { keys, rows } = this.parts;
    const [streams, people] = [new Set<string>(), new Set<string>()];
    for (;;) {
      const names = await keys.namesIn(keyScopeOf(scope), TOGETHER);
      if (names.length === 0) break;
      for (const name of names) {
        const [stream = '', person = ''] = name.split('|');
        streams.add(stream);
        people.add(person);
      }
      // The names of keys tell where copies are; without the keys nobody would find them after a restart.
      await rows.forgetCopies([...streams], [...people]);
      await keys.destroy(names);
      const before = this.destroyed.get(id);
      if (before !== undefined) this.destroyed.set(id, before + names.length);
    }
    keys.forget();
    return { keys: this.destroyed.get(id) ?? null, streams: [...streams], people: [...people] };
  }

  /**
   * Destroys the keys of a message, and of it alone: each key that sealed one of its texts is taken apart into the keys of the
   * single events that it sealed, without those of the message. Events of later use another key, see `TextsErased`.
   */
  private async takeApart(
    erasureId: string,
    scope: Extract<ErasureScope, { kind: 'message' }>,
    by: string,
  ): Promise<Destroyed> {
    const { keys, rooms } = this.parts;
    const stream = roomStream(scope.roomId);
    const erased = new Map<string, string>();
    for await (const { envelope } of this.eventsOf(stream)) {
      const name = isWithin(scope, envelope) ? keyNameOf(stream, envelope) : null;
      if (name) erased.set(envelope.id, name);
    }
    const names = [...new Set(erased.values())];
    const retired = new Map<string, Buffer>();
    for (const name of names) {
      const key = await keys.retire(name);
      if (key) retired.set(name, key);
    }
    const fence = orThrow(
      await rooms.send(
        scope.roomId,
        { type: 'EraseTexts', actor: { id: by, role: 'admin' }, messageId: scope.messageId, erasureId },
        { correlation: newId() },
      ),
    );
    const kept = new Map(names.map((name) => [name, new Map<string, Buffer>()]));
    for await (const { envelope, stored } of this.eventsOf(stream, fence.revision)) {
      const name = keyNameOf(stream, envelope);
      const key = name && retired.get(name);
      if (!name || !key || isWithin(scope, envelope) || envelope.data.sealed === undefined) continue;
      const own = eventKey(key, envelope.id);
      if (tryToOpen(stored, own, envelope)) kept.get(name)?.set(envelope.id, own);
    }
    for (const name of names) await keys.takeApart(name, kept.get(name) ?? new Map(), [...erased.keys()]);
    return { keys: erased.size, streams: [stream], people: [scope.authorId] };
  }

  private async *eventsOf(stream: string, last?: bigint) {
    const { store } = this.parts;
    for (let from = 0n; ; ) {
      const events = await store.read(stream, from, TOGETHER);
      for (const stored of events) {
        if (last !== undefined && stored.revision > last) return;
        yield { stored, envelope: peek(stored.sealed) };
      }
      const end = events.at(-1);
      if (!end) return;
      from = end.revision + 1n;
    }
  }

  /** Waits until the read models have everything up to a position, and no rebuild is under way that might bring back more. */
  private async passed(position: bigint): Promise<void> {
    const { side } = this.parts.readModels;
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const [{ position: at, search }, rebuild] = await Promise.all([side.status(), side.rebuildUnderWay()]);
      if (at >= position && search.position >= position && rebuild === null) return;
      if (Date.now() > deadline) throw new Error('The read models have not caught up; the erasure waits for them.');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** What stays of it: others may have quoted it, and a username is never given to anybody else. */
  private async keptOf(scope: ErasureScope): Promise<string[]> {
    const always = ['times, actors and places of events', 'what others quoted'];
    if (scope.kind !== 'person') return always;
    const { username } = (await this.parts.users.newest(scope.userId)).state;
    return [`the username ${username}`, ...always];
  }
}

interface Entangled {
  readonly state: ErasureState;
  readonly entangled: readonly string[];
  readonly considered: readonly string[];
}

interface Destroyed {
  /** In all; null where another process, or this one before a restart, may have destroyed some. */
  readonly keys: number | null;
  readonly streams: readonly string[];
  readonly people: readonly string[];
}

/** The names of the keys of a scope. */
function keyScopeOf(scope: ErasureScope): KeyScope {
  switch (scope.kind) {
    case 'person':
      return { pattern: `%|${scope.userId}|%` };
    case 'room':
      return { pattern: `${roomStream(scope.roomId)}|%` };
    case 'days':
      return { pattern: `${roomStream(scope.roomId)}|%`, from: scope.from, to: scope.to };
    case 'message':
      throw new Error('A message has no key of its own name.');
  }
}

/** Whether the personal fields of an event are within a scope. */
function isWithin(scope: ErasureScope, envelope: StoredEnvelope): boolean {
  const { category, id } = parseStream(envelope.stream);
  switch (scope.kind) {
    case 'person':
      if (envelope.stream === userStream(scope.userId)) return true;
      return envelope.actor === scope.userId && (keyNameOf(envelope.stream, envelope) ?? '').includes(scope.userId);
    case 'room':
      return category === 'room' && id === scope.roomId;
    case 'message': {
      const ofText = envelope.type === 'MessagePosted' || envelope.type === 'MessageEdited';
      return ofText && category === 'room' && id === scope.roomId && envelope.data.messageId === scope.messageId;
    }
    case 'days': {
      if (category !== 'room' || id !== scope.roomId) return false;
      const day = (keyNameOf(envelope.stream, envelope) ?? '').slice(-10);
      return day >= scope.from && day <= scope.to;
    }
  }
}

function orThrow<T extends object>(outcome: T): Exclude<T, { readonly rejected: unknown }> {
  if (isRejection(outcome)) throw new Error(`An erasure cannot go on: ${JSON.stringify(outcome)}`);
  return outcome as Exclude<T, { readonly rejected: unknown }>;
}
