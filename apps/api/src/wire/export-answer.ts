import type { Export } from '@verbatim/protocol';
import type { KnownExport } from '../application/exports/export-handlers.js';

/** An export as whoever requested it sees it. */
export const exportAnswer = ({ scope, ...known }: KnownExport): Export => ({
  id: known.id,
  status: known.status,
  progress: { done: known.done, total: known.total },
  events: known.events,
  bytes: known.status === 'done' ? known.bytes : null,
  problem: known.problem,
  room: scope.room ?? null,
  person: scope.person ?? null,
  from: scope.from ?? null,
  to: scope.to ?? null,
  words: known.words,
  reason: known.reason,
  requestedAt: known.requestedAt.toISOString(),
  finishedAt: known.finishedAt?.toISOString() ?? null,
  expiresAt: known.expiresAt?.toISOString() ?? null,
});
