import type { Recorded } from '@verbatim/domain';
import { arrayValue, entityId, keyValue } from './column-values.js';
import { type Projection, type ReadDatabase, reading } from './projection.js';
import { rowSet } from './row-set.js';

const addedRows = rowSet('added', {
  bot_id: ['bot', 'text'],
  webhook_id: ['webhook', 'text'],
  room_id: ['room', 'text'],
});

/** The bots of incoming webhooks, and whether their webhook is gone: removed, or its room closed. */
export const webhookBots: Projection = {
  name: 'webhook bots',

  tables: (schema) => `
    CREATE TABLE ${schema}.webhook_bots (
      bot_id text COLLATE "C" PRIMARY KEY,
      webhook_id text COLLATE "C" NOT NULL,
      room_id text COLLATE "C" NOT NULL,
      gone boolean NOT NULL DEFAULT false
    );`,

  indexes: (schema) => `
    CREATE INDEX ON ${schema}.webhook_bots (webhook_id) WHERE NOT gone;
    CREATE INDEX ON ${schema}.webhook_bots (room_id) WHERE NOT gone;`,

  async apply(tx, schema, events) {
    const added = events.filter((event) => event.type === 'IncomingWebhookAdded').map(addedRow);
    const removed = events.flatMap((event) =>
      event.type === 'IncomingWebhookRemoved' ? [keyValue(event.data.webhookId)] : [],
    );
    const closed = events.flatMap((event) => (event.type === 'ChatClosed' ? [entityId(event)] : []));
    if (added.length > 0)
      await tx`
        INSERT INTO ${tx(schema)}.webhook_bots (bot_id, webhook_id, room_id)
        SELECT * FROM ${addedRows(tx, added)}
        ON CONFLICT DO NOTHING`;
    if (removed.length > 0)
      await tx`UPDATE ${tx(schema)}.webhook_bots SET gone = true WHERE NOT gone AND webhook_id = ANY(${arrayValue(removed)}::text[])`;
    // Nothing is added to a room once it is closed.
    if (closed.length > 0)
      await tx`UPDATE ${tx(schema)}.webhook_bots SET gone = true WHERE NOT gone AND room_id = ANY(${arrayValue(closed)}::text[])`;
  },
};

const addedRow = (event: Extract<Recorded, { type: 'IncomingWebhookAdded' }>) => ({
  bot: keyValue(event.data.botId),
  webhook: keyValue(event.data.webhookId),
  room: entityId(event),
});

// Queries -----------------------------------------------------------------------------------------------------------

/**
 * Ids of bots in use whose webhook is gone, at most `most`. A bot without any webhook counts if its account was made before
 * this time (RFC 3339): the account comes first and the webhook follows.
 */
export async function botsWithoutWebhook(db: ReadDatabase, madeBefore: string, most: number): Promise<string[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<{ id: string }[]>`
    SELECT p.id FROM ${schema}.people p LEFT JOIN ${schema}.webhook_bots b ON b.bot_id = p.id
    WHERE p.webhook AND NOT p.deactivated AND (b.gone OR (b.bot_id IS NULL AND p.created_at < ${madeBefore}))
    ORDER BY p.id LIMIT ${most}`;
  return rows.map(({ id }) => id);
}

/** Ids of the bots of all webhooks that a room has or had. */
export async function webhookBotsOf(db: ReadDatabase, roomId: string): Promise<string[]> {
  const { sql, schema } = reading(db);
  const rows = await sql<{ id: string }[]>`
    SELECT bot_id AS id FROM ${schema}.webhook_bots WHERE room_id = ${keyValue(roomId)} ORDER BY bot_id`;
  return rows.map(({ id }) => id);
}
