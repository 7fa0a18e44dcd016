import { limits, nameKey, nameProblem } from '@verbatim/domain';
import { describe, expect, it } from 'vitest';
import { Chance } from './chance.js';
import { MadeUpNames, MadeUpRoomNames } from './made-up-names.js';

describe('made-up names', () => {
  const names = new MadeUpNames(new Chance(1, 'names'));
  const people = Array.from({ length: 20_000 }, () => names.next());

  it('are names as the rules want them', () => {
    for (const { username, displayName } of people) {
      expect(username).toMatch(/^[a-z0-9_.-]{3,32}$/);
      expect(nameProblem(displayName, limits.displayName)).toBeNull();
    }
  });

  it('give each person a username of their own', () => {
    expect(new Set(people.map(({ username }) => username)).size).toBe(people.length);
  });

  it('are in several scripts', () => {
    for (const script of ['Latin', 'Cyrillic', 'Greek', 'Han', 'Arabic', 'Devanagari'])
      expect(people.some(({ displayName }) => new RegExp(`\\p{Script=${script}}`, 'u').test(displayName))).toBe(true);
  });

  it('of rooms are good and different, whatever the case', () => {
    const roomNames = new MadeUpRoomNames(new Chance(1, 'rooms'));
    const rooms = Array.from({ length: 20_000 }, () => roomNames.next());
    for (const name of rooms) expect(nameProblem(name, limits.roomName)).toBeNull();
    expect(new Set(rooms.map(nameKey)).size).toBe(rooms.length);
  });
});
