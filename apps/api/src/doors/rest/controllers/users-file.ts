import { Readable } from 'node:stream';
import type { Actor } from '@verbatim/domain';
import type { Page, PageRequest, User as UserRow } from '@verbatim/projections';
import { csvHeader, csvLine, type User } from '@verbatim/protocol';
import { userRowAnswer } from '../../../wire/user-answer.js';

/** Users in memory at a time, for each file that is being sent. */
const PAGE = 1_000;

type Found = Pick<Page<UserRow>, 'items' | 'next'>;

const columns = ['id', 'username', 'displayName', 'role', 'status', 'bot', 'secondFactor', 'createdAt', 'signedInAt'];

/**
 * All users of a list as comma-separated values, page by page: the next page is read once the client has received the
 * previous one. Only administrators get the column of e-mail addresses.
 */
export function usersFile(page: (request: PageRequest) => Promise<Found>, actor: Actor): Readable {
  const shown = actor.role === 'admin' ? [...columns, 'email'] : columns;
  return Readable.from(pages(page, actor, shown), { objectMode: false, highWaterMark: 64 * 1024 });
}

async function* pages(page: (request: PageRequest) => Promise<Found>, actor: Actor, shown: string[]) {
  let text = csvHeader(shown);
  for (let cursor: string | undefined; ; text = '') {
    const { items, next } = await page({ limit: PAGE, ...(cursor && { cursor }) });
    yield text + items.map((row) => csvLine(cells(userRowAnswer(actor, row), shown))).join('');
    if (next === null) return;
    cursor = next;
  }
}

const cells = (user: User, shown: readonly string[]): string[] =>
  shown.map((name) => `${user[name as keyof User] ?? ''}`);
