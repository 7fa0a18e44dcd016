import type { AuditEntry, QueryOf } from '@verbatim/protocol';
import type { Source } from '../service/source';
import { midnight } from '../words/midnight';

export type WantedEntries = QueryOf<'exportAuditTrail'>;

/** The audit trail, newest first. */
export const auditSource: Source<AuditEntry> = {
  list: (client, { filter, limit, cursor }) =>
    client.call('listAuditTrail', { query: { ...entriesWanted(filter), order: 'desc', limit, cursor } }),
};

/** The query that the filters of the list stand for. Days are those of the person who looks. */
export const entriesWanted = (filter: Readonly<Record<string, string | undefined>>): WantedEntries => ({
  actor: filter.user,
  action: filter.action as WantedEntries['action'],
  target: filter.target,
  room: filter.room,
  from: midnight(filter.from),
  before: midnight(filter.before),
});
