import type { Readable } from 'node:stream';
import type { Actor } from '@verbatim/domain';
import type { Page, PageRequest, User as UserRow } from '@verbatim/projections';
import type { User } from '@verbatim/protocol';
import { userRowAnswer } from '../../../wire/user-answer.js';
import { csvFile } from './csv-file.js';

type Found = Pick<Page<UserRow>, 'items' | 'next'>;

const columns = ['id', 'username', 'displayName', 'role', 'status', 'bot', 'secondFactor', 'createdAt', 'signedInAt'];

/** All users of a list as comma-separated values. Only administrators get the column of e-mail addresses. */
export function usersFile(page: (request: PageRequest) => Promise<Found>, actor: Actor): Readable {
  const shown = actor.role === 'admin' ? [...columns, 'email'] : columns;
  return csvFile(shown, page, (row) => cells(userRowAnswer(actor, row), shown));
}

const cells = (user: User, shown: readonly string[]): string[] =>
  shown.map((name) => `${user[name as keyof User] ?? ''}`);
