import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { PageRequest, User } from '@verbatim/projections';
import { csvCells } from '@verbatim/protocol';
import { expect, test } from 'vitest';
import { usersFile } from './users-file.js';

const admin = { id: 'boss', role: 'admin' } as const;
const user = (n: number, more: Partial<User> = {}): User => ({
  id: `u${n}`,
  username: `user${n}`,
  displayName: `User ${n}`,
  email: null,
  role: 'user',
  suspended: false,
  deactivated: false,
  bot: false,
  guest: false,
  createdAt: '2026-01-31T12:00:00.000Z',
  secondFactor: false,
  signedInAt: null,
  ...more,
});

/** A list in pages of 1,000, whose cursors are the numbers of the pages; counts how often it is asked. */
function given(pages: number) {
  const asked: (string | undefined)[] = [];
  const page = async ({ limit, cursor }: PageRequest) => {
    asked.push(cursor);
    const at = Number(cursor ?? 0);
    const items = Array.from({ length: limit }, (_, i) => user(at * limit + i));
    return { items, next: at + 1 < pages ? `${at + 1}` : null };
  };
  return { asked, page };
}

test('the file has a line of names, and one for each person on all pages', async () => {
  const { page } = given(3);
  const lines = (await text(usersFile(page, admin))).split('\r\n');
  expect(lines[0]).toBe('id,username,displayName,role,status,bot,secondFactor,createdAt,signedInAt,email');
  expect(lines[1]).toBe('u0,user0,User 0,user,active,,false,2026-01-31T12:00:00.000Z,,');
  expect(lines).toHaveLength(3_002);
});

test('the file can be read back: it begins with a byte order mark, and no name loses a character', async () => {
  const names = ["'=1", '=1+1', ' two  spaces ', 'Ünal, Zoë; "Z"', "''"];
  const page = async () => ({ items: names.map((displayName, n) => user(n, { displayName })), next: null });
  // As the browser saves it; TextDecoder would drop the mark.
  const [header, ...lines] = csvCells(Buffer.concat(await usersFile(page, admin).toArray()).toString('utf8')) ?? [];
  expect(header?.[0]).toBe('id');
  expect(lines.map((cells) => cells[2])).toEqual(names);
});

test('e-mail addresses are for administrators, and no name is a formula', async () => {
  const page = async () => ({ items: [user(1, { displayName: '=1+1', email: 'one@example.org' })], next: null });
  expect(await text(usersFile(page, admin))).toContain("'=1+1");
  expect(await text(usersFile(page, admin))).toContain('one@example.org');
  const told = await text(usersFile(page, { id: 'eye', role: 'auditor' }));
  expect(told).not.toContain('email');
  expect(told).not.toContain('one@example.org');
});

test('nothing is read ahead of a slow reader', async () => {
  const { asked, page } = given(1_000);
  const file = usersFile(page, admin);
  await once(file, 'readable');
  expect(asked.length).toBeLessThan(5);
  file.destroy();
});
