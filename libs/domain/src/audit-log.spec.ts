import { describe, it } from 'vitest';
import { type AuditLogEvent, auditLog, type BeginAuditLog } from './audit-log.js';
import { given, type Past } from './given.testing.js';

const previous = { origin: 'chat.example/log', size: 7, root: 'AAAA' };
const data = { tree: 2, origin: 'chat.example/log/2', previous, reason: 'Restored from the backup of Monday' };
const begin = (more: Partial<BeginAuditLog> = {}): BeginAuditLog => ({
  ...{ type: 'BeginAuditLog', actor: null, ...data },
  ...more,
});
const begun: Past<AuditLogEvent> = { type: 'AuditLogBegun', data, actor: null };

describe('a new tree of the log', () => {
  it('names the last checkpoint of the tree before it, and the reason', () => {
    given(auditLog, [])
      .when(begin())
      .then([{ type: 'AuditLogBegun', data }]);
  });

  it('needs a reason', () => {
    for (const reason of ['', ' ', '\u200b', 'x'.repeat(501)])
      given(auditLog, []).when(begin({ reason })).thenRejected('Invalid');
  });

  it('is begun once', () => {
    given(auditLog, [begun]).when(begin()).thenNothing();
    given(auditLog, [begun])
      .when(begin({ tree: 1 }))
      .thenRejected('Conflict');
  });

  it('may follow another one', () => {
    const third = { tree: 3, origin: 'chat.example/log/3', previous: null, reason: 'Again' };
    given(auditLog, [begun])
      .when(begin(third))
      .then([{ type: 'AuditLogBegun', data: third }]);
  });
});
