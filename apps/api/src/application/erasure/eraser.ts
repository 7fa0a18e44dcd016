import {
  ERASURES,
  type ErasureScope,
  type ErasureState,
  entangles,
  isHeld,
  isRejection,
  type PendingErasure,
  type Recorded,
  roomStream,
} from '@verbatim/domain';
import {
  type EventStore,
  eventKey,
  keyNameOf,
  type PostgresKeyRing,
  peek,
  type Sealer,
  tryToOpen,
} from '@verbatim/event-store';
import { AdvisoryLock, webhookBotsOf } from '@verbatim/projections';
import type { Logger } from 'pino';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';
import { newId } from '../../new-id.js';
import type { ErasuresUnderWay } from '../../storage/desk/erasures-under-way.js';
import type { ErasedRows } from '../../storage/erased-rows.js';
import { hideErased, isWithin, keyScopeOf } from '../../storage/erased-scope.js';
import type { StoredExports } from '../../storage/exports/stored-exports.js';
import type { ReadModels } from '../../storage/read-models.js';
import type { Certificates } from '../../storage/transparency/certificates.js';
import type { Erasures, Rooms, Users } from '../../write-side/entities.js';
import type { AccountChanger } from '../accounts/account-changer.js';

/** Keys destroyed in one transaction, and events of a room read at a time. */
const TOGETHER = 500;
/** Milliseconds to wait for the read models before the erasure is retried later. */
const PATIENCE_MS = 60_000;
/** Retry delay in milliseconds: initial and maximum. Meanwhile another process may be erasing. */
const [RETRY_MS, LONGEST_RETRY_MS] = [5_000, 600_000];

export interface EraserParts {
  readonly erasures: Erasures;
  readonly rooms: Rooms;
  readonly users: Users;
  readonly accounts: AccountChanger;
  readonly store: EventStore;
  readonly sealer: Sealer;
  readonly keys: PostgresKeyRing;
  readonly rows: ErasedRows;
  readonly exports: StoredExports;
  readonly underWay: ErasuresUnderWay;
  readonly readModels: ReadModels;
  readonly certificates: Certificates;
  readonly direct: Sql;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Carries out erasures, one at a time over all processes. Every step is idempotent, and if a process dies, another
 * continues at its next check: the register lists what is left to do.
 */
export class Eraser {
  private running: Promise<void> | null = null;
  private again = false;
  private stopped = false;
  private retry: NodeJS.Timeout | undefined;
  /** Consecutive rounds with a failure. */
  private failures = 0;
  /** Keys destroyed so far, by the ids of erasures that began in this process. */
  private readonly destroyed = new Map<string, number>();

  constructor(private readonly parts: EraserParts) {}

  /** A feed sink. Immediately hides, in every process, what is being erased. */
  handle(events: readonly Recorded[]): void {
    const { sealer, users, rooms } = this.parts;
    for (const event of events) {
      switch (event.type) {
        case 'TextsErased':
          sealer.renew(event.stream);
          break;
        case 'ErasureBegan':
          hideErased(sealer, event.data.erasureId, event.data.scope, event.at);
          break;
        case 'ErasureFinished': {
          const { erasureId, scope } = event.data;
          sealer.unshield(erasureId);
          // The cached states derive from fields that are gone, such as fingerprints of texts, and a person may be in any
          // room.
          if (scope.kind === 'person') {
            users.drop(scope.userId);
            rooms.dropAll();
          } else rooms.drop(scope.roomId);
          break;
        }
        case 'HoldLifted':
        case 'ErasureRequested':
          this.wake();
          break;
      }
    }
  }

  /** Hides the scopes of erasures that began while this process started. */
  async load(): Promise<void> {
    const { underWay, sealer } = this.parts;
    const state = await this.pendingNow();
    for (const [id, { scope, beganAt }] of state.pending.entries()) {
      if (beganAt === null) continue;
      hideErased(sealer, id, scope, beganAt);
      await underWay.begin(id, scope, beganAt);
    }
  }

  /** The register as of now; deletes notes about erasures that are no longer pending. */
  private async pendingNow(): Promise<ErasureState> {
    const { erasures, underWay } = this.parts;
    // In this order, since an erasure is noted after its event.
    const noted = await underWay.all();
    const { state } = await erasures.newest(ERASURES);
    for (const { id } of noted) if (!state.pending.has(id)) await underWay.finish(id);
    return state;
  }

  /** Starts work on the pending erasures. */
  wake(): void {
    void this.run().catch((error) => {
      this.parts.log.warn({ err: error }, 'Erasures cannot be carried out now; they will be retried.');
      this.tryAgainIn(RETRY_MS);
    });
  }

  /** Carries out all erasures that are possible now. */
  run(): Promise<void> {
    this.again = true;
    this.running ??= this.rounds().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** Stops without waiting for the current erasure, which another process or the next start continues. */
  stop(): void {
    this.stopped = true;
    clearTimeout(this.retry);
  }

  private async rounds(): Promise<void> {
    let failed = false;
    while (this.again && !this.stopped) {
      this.again = false;
      failed = false;
      const state = await this.pendingNow();
      if (state.pending.size === 0) break;
      const lock = await AdvisoryLock.tryTake(this.parts.direct, 'verbatim erasures');
      // The process that holds the lock may die.
      if (!lock) return this.tryAgainIn(RETRY_MS);
      try {
        for (const [id, pending] of state.pending.entries())
          if (!this.stopped && !(await this.attempt(id, pending))) failed = true;
      } finally {
        await lock.release();
      }
    }
    this.failures = failed ? this.failures + 1 : 0;
    if (failed) this.tryAgainIn(Math.min(RETRY_MS * 2 ** (this.failures - 1), LONGEST_RETRY_MS));
  }

  private tryAgainIn(milliseconds: number): void {
    clearTimeout(this.retry);
    if (!this.stopped) this.retry = setTimeout(() => this.wake(), milliseconds).unref();
  }

  /** Returns false on failure, so that one failing erasure does not block the others. */
  private async attempt(id: string, pending: PendingErasure): Promise<boolean> {
    try {
      await this.carryOut(id, pending);
      return true;
    } catch (error) {
      this.parts.log.warn({ err: error, erasure: id }, 'An erasure failed; it will be retried.');
      await this.parts.underWay.fail(id, pending.scope, problemOf(error));
      return false;
    }
  }

  private async carryOut(id: string, pending: PendingErasure): Promise<void> {
    const { scope, by, ruleId, ground, requestedAt } = pending;
    const { erasures, rows, underWay, sealer, readModels, store, certificates, clock } = this.parts;
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
    const current = begun.state.pending.get(id);
    // Another process has finished it, or its rule has withdrawn it.
    if (!current) return;
    const began = current.beganAt ?? begun.at;
    if (begun.events > 0) this.destroyed.set(id, 0);
    // Processes that start from now on hide it before they open anything.
    await underWay.begin(id, scope, began);
    hideErased(sealer, id, scope, began);
    // Rules only ask for days, which needs no actor.
    const requester = by ?? '';
    await this.closeDown(scope, requester);
    await this.eraseRows(id, scope);
    // A hold placed meanwhile keeps what is left.
    const still = await this.entangled(scope);
    if (isHeld(scope, still.state, still.entangled)) return;
    const destroyed =
      scope.kind === 'message' ? await this.takeApart(id, scope, requester) : await this.destroyKeys(id, scope);
    await rows.forgetCopies(destroyed.streams, destroyed.people);
    const head = await store.head();
    await this.passed(head);
    // Everything that was on its way to the read models when the keys were destroyed has arrived.
    await this.eraseRows(id, scope);
    await readModels.reached(head, PATIENCE_MS);
    const asked = { id, scope, ground, by, ...(ruleId !== null && { rule: ruleId }), requestedAt };
    const done = { beganAt: began, finishedAt: clock().toISOString(), keys: destroyed.keys };
    const statement = { ...asked, ...done, kept: await this.keptOf(scope) };
    const certificate = await certificates.sign(
      (origin) => `verbatim-erasure/1\n${origin}\n${JSON.stringify(statement)}\n`,
    );
    await erasures.send(ERASURES, { type: 'FinishErasure', actor: null, erasureId: id, certificate }, context);
    await underWay.finish(id);
    this.destroyed.delete(id);
  }

  /** The holds that overlap a scope in a way that only the vault can tell, and all those that it was asked about. */
  async entangled(scope: ErasureScope): Promise<Entangled> {
    const { state } = await this.parts.erasures.newest(ERASURES);
    const [entangled, considered]: [string[], string[]] = [[], []];
    for (const [id, { scope: hold }] of state.holds.entries()) {
      if (!entangles(scope, hold)) continue;
      considered.push(id);
      const [person, place] = scope.kind === 'person' ? [scope, hold] : [hold, scope];
      if (person.kind !== 'person' || place.kind === 'person' || place.kind === 'message') continue;
      const key = { stream: roomStream(place.roomId), person: person.userId };
      const span = place.kind === 'days' ? { from: place.from, to: place.to } : {};
      if ((await this.parts.keys.namesIn({ ...key, ...span }, 1)).length > 0) entangled.push(id);
    }
    return { state, entangled, considered };
  }

  /** Stops further additions to the scope. */
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
    const { keys, rows, underWay } = this.parts;
    const [streams, people] = [new Set<string>(), new Set<string>()];
    for (const part of [scope, ...(await this.botsOf(scope))])
      for (;;) {
        const names = await keys.namesIn(keyScopeOf(part), TOGETHER);
        if (names.length === 0) break;
        for (const name of names) {
          const [stream = '', person = ''] = name.split('|');
          streams.add(stream);
          people.add(person);
        }
        // Key names say where copies are; once the keys are destroyed, a restart could no longer find them.
        await rows.forgetCopies([...streams], [...people]);
        await keys.destroy(names);
        await underWay.destroyed(id, names.length);
        const before = this.destroyed.get(id);
        if (before !== undefined) this.destroyed.set(id, before + names.length);
      }
    keys.forget();
    return { keys: this.destroyed.get(id) ?? null, streams: [...streams], people: [...people] };
  }

  /** Bots have the names of their webhooks, so they are erased with the room. */
  private async botsOf(scope: ErasureScope): Promise<ErasureScope[]> {
    if (scope.kind !== 'room') return [];
    const bots = await webhookBotsOf(this.parts.readModels.db, scope.roomId);
    return bots.map((userId) => ({ kind: 'person', userId }));
  }

  private async eraseRows(id: string, scope: ErasureScope): Promise<void> {
    for (const part of [scope, ...(await this.botsOf(scope))]) await this.parts.rows.erase(part);
    await this.parts.exports.forget(id, scope);
  }

  /**
   * Destroys the keys of one message only: each key that sealed one of its texts is split into the keys of the single
   * events that it sealed, without those of the message. Later events use another key, see `TextsErased`.
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

  /** Waits until the read models have passed a position and no rebuild is running that might bring something back. */
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

  /** What remains: others may have quoted it, and a username is never reassigned. */
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
  /** Total; null if another process, or this one before a restart, may have destroyed some. */
  readonly keys: number | null;
  readonly streams: readonly string[];
  readonly people: readonly string[];
}

/** One sentence for administrators. */
const problemOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').slice(0, 500);

function orThrow<T extends object>(outcome: T): Exclude<T, { readonly rejected: unknown }> {
  if (isRejection(outcome)) throw new Error(`An erasure cannot continue: ${JSON.stringify(outcome)}`);
  return outcome as Exclude<T, { readonly rejected: unknown }>;
}
