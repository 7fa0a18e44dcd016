import { describe, expect, it } from 'vitest';
import { directRoomId } from '../../../application/rooms/direct-rooms.js';
import { collectionOf, readDump } from './dump.js';
import { planDump } from './dump-plan.js';

const id = (n: number) => n.toString(16).padStart(24, '0');
const user = (n: number, username: string) => JSON.stringify({ _id: { $oid: id(n) }, username, email: null });

describe('a dump', () => {
  it.each([
    ['users.json', 'users'],
    ['dump/makechat.rooms.jsonl', 'rooms'],
    ['powerusers.json', null],
    ['users.csv', null],
  ])('in the file %s is the collection %s', (file, collection) => {
    expect(collectionOf(file)).toBe(collection);
  });

  it('is read in the Extended JSON of any release, line by line or as one array', () => {
    const dates = ['2016-05-02T12:00:00Z', 1_462_190_400_000, { $numberLong: '1462190400000' }];
    const rooms = dates.map((date, n) => ({
      _id: { $oid: id(n) },
      name: `room ${n}`,
      members: [],
      created: { $date: date },
    }));
    const lines = readDump({ rooms: rooms.map((room) => JSON.stringify(room)).join('\r\n') });
    expect(lines.rooms.map(({ created }) => created)).toEqual(Array(3).fill('2016-05-02T12:00:00.000Z'));
    expect(readDump({ rooms: `\ufeff${JSON.stringify(rooms)}` })).toEqual(lines);
  });

  it('reports what cannot be read', () => {
    const { users, skipped } = readDump({ users: `${user(1, 'ada')}\n{"_id": \n{"username": "bob"}\n[1]\n` });
    expect(users.map(({ username }) => username)).toEqual(['ada']);
    expect(skipped).toEqual([
      { what: 'users, line 2', why: 'it is not JSON' },
      { what: 'users, line 3', why: 'a field is missing' },
      { what: 'users, line 4', why: 'it is not JSON' },
    ]);
  });

  it('gives every account a valid and unique name', () => {
    const names = ['Ada', 'ada', 'x', 'hook-1', 'Жанна', 'a'.repeat(120)];
    const { accounts } = planDump(readDump({ users: names.map((name, n) => user(n, name)).join('\n') }), directRoomId);
    const given = accounts.map(({ username }) => username);
    expect(given[0]).toBe('ada');
    expect(new Set(given).size).toBe(names.length);
    for (const name of given) expect(name).toMatch(/^(?!hook-|guest-)[a-z0-9_.-]{3,32}$/);
    expect(accounts.map(({ displayName }) => displayName)).toContain('Жанна');
  });

  it('always gives the same plan', () => {
    const dump = { users: `${user(1, 'ada')}\n${user(2, 'bob')}` };
    expect(planDump(readDump(dump), directRoomId)).toEqual(planDump(readDump(dump), directRoomId));
  });
});
