import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { type AuditEntry, type AuditQuery, listAuditTrail, type Page } from '@verbatim/projections';
import { ReadModels } from '../../storage/read-models.js';

/** What administrators and auditors did. The caller must check that the reader is one of them. */
export class ListAuditTrailQuery extends Query<Page<AuditEntry>> {
  constructor(readonly query: AuditQuery) {
    super();
  }
}

@QueryHandler(ListAuditTrailQuery)
export class ListAuditTrailHandler implements IQueryHandler<ListAuditTrailQuery> {
  constructor(private readonly readModels: ReadModels) {}

  execute({ query }: ListAuditTrailQuery): Promise<Page<AuditEntry>> {
    return this.readModels.list((db) => listAuditTrail(db, query));
  }
}
