import type { Ban as BanRow, Report as ReportRow } from '@verbatim/projections';
import type { Ban, Report } from '@verbatim/protocol';
import { personAnswer } from './person-answer.js';

export const banAnswer = ({ user, until, reason, by, at }: BanRow): Ban => ({
  user: personAnswer(user),
  until,
  reason,
  by: by && personAnswer(by),
  at,
});

export const reportAnswer = (row: ReportRow): Report => ({
  id: row.id,
  roomId: row.roomId,
  messageId: row.messageId,
  messageRevision: row.messageRevision === null ? null : Number(row.messageRevision),
  author: row.author && personAnswer(row.author),
  reporter: personAnswer(row.reporter),
  reason: row.reason,
  reportedAt: row.reportedAt,
  status: row.settled ? 'settled' : 'open',
  settledBy: row.settledBy && personAnswer(row.settledBy),
  settledAt: row.settledAt,
  outcome: row.outcome,
  note: row.note,
});
