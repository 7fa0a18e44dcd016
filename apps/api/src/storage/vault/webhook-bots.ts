import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';

/** Bots of incoming webhooks that one user may have in all rooms, may create in a day, and may ever create. */
export const MAX_BOTS = 100;
const MAX_BOTS_A_DAY = 100;
export const MAX_BOTS_EVER = 1_000;
const DAY_MS = 86_400_000;

/** Why a user may not create another bot: they have too many, created too many recently, or too many in total. */
export type TooMany =
  | { readonly tooMany: 'now' | 'ever' }
  | { readonly tooMany: 'lately'; readonly retryAfterMs: number };

/**
 * Who created which bot of an incoming webhook. Accounts stay in the log forever, so their number per user is limited, even
 * for users who add and remove webhooks in a loop.
 */
export class WebhookBotLedger {
  private constructor(
    private readonly sql: Sql,
    private readonly clock: Clock,
  ) {}

  static async open(sql: Sql, clock: Clock): Promise<WebhookBotLedger> {
    await migrate(sql, 'vault', 'webhook bots', [
      `create table vault.webhook_bots (
         bot_id uuid primary key, owner uuid not null, made_at timestamptz not null, ended boolean not null default false);
       create index webhook_bots_owner on vault.webhook_bots (owner)`,
    ]);
    return new WebhookBotLedger(sql, clock);
  }

  /**
   * Records a bot that is about to be created, unless its owner has too many. It is recorded before counting, so that
   * concurrent attempts on all replicas never exceed the limit.
   */
  async enter(botId: string, owner: string): Promise<TooMany | null> {
    const now = this.clock();
    await this.sql`insert into vault.webhook_bots (bot_id, owner, made_at) values (${botId}, ${owner}, ${now})`;
    const since = new Date(now.getTime() - DAY_MS);
    const [row] = await this.sql<{ now: number; lately: number; ever: number; oldest: Date | null }[]>`
      select count(*) filter (where not ended)::int as now, count(*)::int as ever,
        count(*) filter (where made_at > ${since})::int as lately,
        min(made_at) filter (where made_at > ${since}) as oldest
      from vault.webhook_bots where owner = ${owner}`;
    const tooMany = row && tooManyOf(row, now);
    if (tooMany) await this.strike(botId);
    return tooMany ?? null;
  }

  /** Removes the entry of a bot that was not created. */
  async strike(botId: string): Promise<void> {
    await this.sql`delete from vault.webhook_bots where bot_id = ${botId}`;
  }

  async noteEnd(botId: string): Promise<void> {
    await this.sql`update vault.webhook_bots set ended = true where bot_id = ${botId}`;
  }
}

function tooManyOf(row: { now: number; lately: number; ever: number; oldest: Date | null }, now: Date): TooMany | null {
  if (row.ever > MAX_BOTS_EVER) return { tooMany: 'ever' };
  if (row.now > MAX_BOTS) return { tooMany: 'now' };
  if (row.lately <= MAX_BOTS_A_DAY) return null;
  const oldest = row.oldest ?? now;
  return { tooMany: 'lately', retryAfterMs: oldest.getTime() + DAY_MS - now.getTime() };
}
