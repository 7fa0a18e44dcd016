import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import {
  ERASURES,
  type ErasureGround,
  type ErasureScope,
  erasure,
  type FinishedErasure,
  type HoldScope,
  heldBy,
  type PendingErasure,
  type Recorded,
  type Rejection,
  reject,
  streamName,
} from '@verbatim/domain';
import { cursorKey, cursorOf, isRevision, keepOf, type Page, type PageRequest, withEach } from '@verbatim/projections';
import { ErasuresUnderWay, type ErasureUnderWay } from '../../storage/desk/erasures-under-way.js';
import { Directory } from '../../storage/directory.js';
import { OpenLog } from '../../storage/open-log.js';
import { Erasures } from '../../write-side/entities.js';
import { Eraser } from './eraser.js';

/** Who asked for something, when and why. The username is empty if it is unknown; the reason is null once it was erased. */
interface Asked {
  readonly by: { readonly id: string; readonly username: string };
  readonly at: string;
  readonly reason: string | null;
}

export interface KnownErasure extends Omit<Asked, 'by'> {
  readonly id: string;
  readonly status: 'queued' | 'running' | 'held' | 'done';
  readonly scope: ErasureScope;
  readonly ground: ErasureGround;
  readonly beganAt: string | null;
  readonly finishedAt: string | null;
  /** The ids of the holds that forbid it. */
  readonly heldBy: readonly string[];
  /** Null if a retention rule asked for it. */
  readonly by: Asked['by'] | null;
  readonly rule: string | null;
  /** Keys destroyed so far; null once it is done: the certificate has the number. */
  readonly keys: number | null;
  /** Why the last attempt failed, if it did. */
  readonly problem: string | null;
  /** A signed note; null until it is done. */
  readonly certificate: string | null;
}

export interface KnownHold extends Asked {
  readonly id: string;
  readonly scope: HoldScope;
}

/** The status of an erasure. */
export class GetErasureQuery extends Query<KnownErasure | Rejection> {
  constructor(readonly erasureId: string) {
    super();
  }
}

/** The erasures in the register, the latest request first. */
export class ListErasuresQuery extends Query<Page<KnownErasure>> {
  constructor(readonly page: PageRequest) {
    super();
  }
}

/** The holds in force, the latest first. */
export class ListHoldsQuery extends Query<Page<KnownHold>> {
  constructor(readonly page: PageRequest) {
    super();
  }
}

/** Reads the register of erasures and holds. */
export class ErasureRegister {
  constructor(
    private readonly erasures: Erasures,
    private readonly log: OpenLog,
    private readonly directory: Directory,
    private readonly eraser: Eraser,
    private readonly underWay: ErasuresUnderWay,
  ) {}

  async one(id: string): Promise<KnownErasure | Rejection> {
    const { state } = await this.erasures.newest(ERASURES);
    const entry = state.pending.get(id) ?? state.finished.get(id);
    const known = entry && (await this.erasureOf(id, entry, await this.unfinished()));
    return known ?? reject('NotFound', 'There is no such erasure.');
  }

  async list(page: PageRequest): Promise<Page<KnownErasure>> {
    const { state } = await this.erasures.newest(ERASURES);
    const all = [...state.pending.entries(), ...state.finished.entries()].map(([id, entry]) => ({ id, entry }));
    const found = newestFirst(all, ({ entry }) => entry.requested, page, ERASURE_LIST);
    const underWay = await this.unfinished();
    return present(await withEach(found, ({ id, entry }) => this.erasureOf(id, entry, underWay)));
  }

  async holds(page: PageRequest): Promise<Page<KnownHold>> {
    const { state } = await this.erasures.newest(ERASURES);
    const all = [...state.holds.entries()].map(([id, { scope, placed }]) => ({ id, scope, placed }));
    const found = newestFirst(all, ({ placed }) => placed, page, HOLD_LIST);
    return present(
      await withEach(found, async ({ id, scope, placed }) => {
        const [event] = await this.read(placed);
        return event?.type === 'HoldPlaced' ? { id, scope, ...(await this.asked(event)) } : null;
      }),
    );
  }

  private async erasureOf(
    id: string,
    entry: PendingErasure | FinishedErasure,
    underWay: ReadonlyMap<string, ErasureUnderWay>,
  ): Promise<KnownErasure | null> {
    const done = 'finished' in entry ? entry.finished : null;
    const [requested, finished] = await this.read(entry.requested, ...(done === null ? [] : [done]));
    if (requested?.type !== 'ErasureRequested') return null;
    const { scope, ground, ruleId: rule = null } = requested.data;
    const asked = await this.asked(requested);
    const known = { id, scope, ground, ...asked, by: rule === null ? asked.by : null, rule, beganAt: entry.beganAt };
    if (finished?.type === 'ErasureFinished') {
      const { certificate } = finished.data;
      return { ...known, status: 'done', finishedAt: finished.at, heldBy: [], keys: null, problem: null, certificate };
    }
    const { state, entangled } = await this.eraser.entangled(scope);
    const holds = heldBy(scope, state, entangled);
    const status = holds.length > 0 ? 'held' : entry.beganAt === null ? 'queued' : 'running';
    const { keys = 0, problem = null } = underWay.get(id) ?? {};
    const progress = { keys, problem: status === 'held' ? null : problem };
    return { ...known, ...progress, status, finishedAt: null, heldBy: holds, certificate: null };
  }

  private async unfinished(): Promise<ReadonlyMap<string, ErasureUnderWay>> {
    return new Map((await this.underWay.all()).map((one) => [one.id, one]));
  }

  private async asked(event: Extract<Recorded, { type: 'ErasureRequested' | 'HoldPlaced' }>): Promise<Asked> {
    const { actor, at, data } = event;
    const by = (await this.directory.person(actor)) ?? { id: actor ?? '', username: '' };
    return { by, at, reason: data.reason };
  }

  private read(...revisions: readonly string[]): Promise<Recorded[]> {
    return this.log.readEach(streamName(erasure.category, ERASURES), revisions.map(BigInt));
  }
}

const ERASURE_LIST = 'erasures';
const HOLD_LIST = 'holds';

/** A page of register entries by their revision, the latest first. */
function newestFirst<T>(all: readonly T[], revisionOf: (item: T) => string, page: PageRequest, list: string): Page<T> {
  const after = cursorKey(page, list, isRevision);
  const before = after ? Number(after[0]) : Number.POSITIVE_INFINITY;
  const left = all.filter((item) => Number(revisionOf(item)) < before);
  const items = left.sort((a, b) => Number(revisionOf(b)) - Number(revisionOf(a))).slice(0, page.limit);
  const cursorAfter = (index: number) => cursorOf(list, [revisionOf(items[index] as T)]);
  return { items, next: left.length > items.length ? cursorAfter(items.length - 1) : null, cursorAfter };
}

/** Omits entries that were erased or finished while the page was being built. */
const present = <T>(page: Page<T | null>): Page<T> => keepOf(page, (item) => item !== null) as Page<T>;

@QueryHandler(GetErasureQuery)
export class GetErasureHandler implements IQueryHandler<GetErasureQuery> {
  constructor(private readonly register: ErasureRegister) {}

  execute({ erasureId }: GetErasureQuery): Promise<KnownErasure | Rejection> {
    return this.register.one(erasureId);
  }
}

@QueryHandler(ListErasuresQuery)
export class ListErasuresHandler implements IQueryHandler<ListErasuresQuery> {
  constructor(private readonly register: ErasureRegister) {}

  execute({ page }: ListErasuresQuery): Promise<Page<KnownErasure>> {
    return this.register.list(page);
  }
}

@QueryHandler(ListHoldsQuery)
export class ListHoldsHandler implements IQueryHandler<ListHoldsQuery> {
  constructor(private readonly register: ErasureRegister) {}

  execute({ page }: ListHoldsQuery): Promise<Page<KnownHold>> {
    return this.register.holds(page);
  }
}

export const erasureQueryHandlers = [GetErasureHandler, ListErasuresHandler, ListHoldsHandler];
