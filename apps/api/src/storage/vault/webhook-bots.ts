import { migrate } from '@verbatim/event-store';
import type { Sql } from 'postgres';
import type { Clock } from '../../clock.js';

/** Bots of incoming webhooks that one person may have in all rooms, may make in a day, and may ever make. */
export const MOST_BOTS = 100;
export const MOST_BOTS_A_DAY = 100;
export const MOST_BOTS_EVER = 1_000;
const DAY_MS = 86_400_000;

/** What keeps somebody from making another bot: they have too many, made too many just now, or ever. */
export type TooMany =
  | { readonly tooMany: 'now' | 'ever' }
  | { readonly tooMany: 'lately'; readonly retryAfterMs: number };

/**
 * Who made which bot of an incoming webhook. An account stays in the log for good, so it is counted here by whom: whoever adds
 * and removes webhooks in a loop comes to an end.
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
   * Enters a bot that is about to be made, unless its owner has too many. It is entered first and counted then: of many at once,
   * over all replicas, never more come through than may.
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

  /** Takes back the entry of a bot that was not made after all. */
  async strike(botId: string): Promise<void> {
    await this.sql`delete from vault.webhook_bots where bot_id = ${botId}`;
  }

  async noteEnd(botId: string): Promise<void> {
    await this.sql`update vault.webhook_bots set ended = true where bot_id = ${botId}`;
  }
}

function tooManyOf(row: { now: number; lately: number; ever: number; oldest: Date | null }, now: Date): TooMany | null {
  if (row.ever > MOST_BOTS_EVER) return { tooMany: 'ever' };
  if (row.now > MOST_BOTS) return { tooMany: 'now' };
  if (row.lately <= MOST_BOTS_A_DAY) return null;
  const oldest = row.oldest ?? now;
  return { tooMany: 'lately', retryAfterMs: oldest.getTime() + DAY_MS - now.getTime() };
}
