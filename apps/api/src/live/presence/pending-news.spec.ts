import type { Person } from '@verbatim/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Announcement, MAX_BYTES, readAnnouncement } from './announcement.js';
import { PendingNews, pendingLimits } from './pending-news.js';

const replica = '0198a000-0000-7000-8000-000000000001';
const id = (n: number) => `0198a000-0000-7000-9000-${n.toString(16).padStart(12, '0')}`;
/** A person with a username of maximum length. */
const person = (n: number): Person => ({ id: id(n), username: `${n}`.padStart(32, 'x') });
const people = (count: number) => Array.from({ length: count }, (_, n) => person(n));

let rooms: Map<string, Person[] | null>;
let news: PendingNews;
beforeEach(() => {
  rooms = new Map();
  news = new PendingNews(
    replica,
    (room) => rooms.get(room) ?? (rooms.has(room) ? null : []),
    () => ({ sockets: 3, people: 2 }),
  );
});

/** Takes the next announcement, which must fit into a notification. */
function next(): Announcement {
  const text = news.next();
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES);
  const announcement = readAnnouncement(text);
  if (!announcement) throw new Error(`no announcement: ${text}`);
  return announcement;
}

/** Takes announcements until none is pending. */
function all(): Announcement[] {
  const taken = [next()];
  while (!news.empty) taken.push(next());
  return taken;
}

describe('a room with many changes', () => {
  it('is announced once, with its latest state', () => {
    for (let n = 0; n < 1_000; n++) {
      rooms.set('a', people(n % 10));
      news.roomChanged('a');
    }
    rooms.set('a', people(2));
    expect(all().flatMap((announcement) => announcement.rooms)).toEqual([{ room: 'a', people: people(2) }]);
  });

  it('is announced even with the maximum of people with the longest names', () => {
    rooms.set(id(1), people(100));
    rooms.set(id(2), people(100));
    news.roomChanged(id(1));
    news.roomChanged(id(2));
    for (let n = 0; n < 50; n++) news.isTyping(id(1), person(n));
    const announced = all();
    expect(announced.flatMap((announcement) => announcement.rooms)).toEqual([
      { room: id(1), people: people(100) },
      { room: id(2), people: people(100) },
    ]);
    expect(announced.flatMap((announcement) => announcement.typing)).toHaveLength(50);
  });

  it('is announced as too full when its people do not fit', () => {
    rooms.set('a', people(120));
    news.roomChanged('a');
    expect(all().flatMap((announcement) => announcement.rooms)).toEqual([{ room: 'a', people: null }]);
  });
});

describe('many rooms', () => {
  it('share announcements, and the last of these completes the round', () => {
    for (let n = 0; n < 1_000; n++) rooms.set(id(n), people(n % 4));
    news.beginRound(rooms.keys());
    const announced = all();
    expect(announced.length).toBeLessThan(40);
    expect(announced.map(({ number }) => number)).toEqual(announced.map((_, i) => i));
    expect(announced.map(({ complete }) => complete)).toEqual(announced.map((_, i) => i === announced.length - 1));
    expect(new Set(announced.map(({ round }) => round))).toEqual(new Set([1]));
    const stated = announced.flatMap((announcement) => announcement.rooms);
    expect(stated).toEqual([...rooms].map(([room, people]) => ({ room, people })));
  });

  it('beyond the limit are dropped and counted, and announced in a new round', () => {
    for (let n = 0; n < pendingLimits.rooms + 5; n++) {
      rooms.set(id(n), people(1));
      news.roomChanged(id(n));
    }
    expect(news.dropped).toBe(5);
    expect(news.needsRound).toBe(false);
    const announced = all();
    expect(announced.flatMap((announcement) => announcement.rooms)).toHaveLength(pendingLimits.rooms);
    expect(announced.some(({ complete }) => complete)).toBe(false);
    expect(news.needsRound).toBe(true);

    rooms = new Map([...rooms].slice(-5));
    news.beginRound(rooms.keys());
    expect(next()).toMatchObject({ round: 1, complete: true });
    expect(news.needsRound).toBe(false);
  });
});

describe('typing', () => {
  it('of one person in one room is announced once', () => {
    for (let n = 0; n < 100; n++) news.isTyping('a', person(1));
    news.isTyping('b', person(1));
    expect(next().typing).toEqual([
      { room: 'a', person: person(1) },
      { room: 'b', person: person(1) },
    ]);
  });

  it('beyond the limit is dropped and counted', () => {
    for (let n = 0; n < pendingLimits.typing + 7; n++) news.isTyping(id(n), person(n));
    expect(news.dropped).toBe(7);
    expect(all().flatMap(({ typing }) => typing)).toHaveLength(pendingLimits.typing);
  });
});

describe('nothing to announce', () => {
  it('still makes a heartbeat', () => {
    expect(next()).toEqual({
      from: replica,
      number: 0,
      load: { sockets: 3, people: 2 },
      round: 0,
      complete: true,
      rooms: [],
      typing: [],
      asks: [],
      bye: false,
    });
  });

  it('is left once there is no replica to notify', () => {
    news.beginRound(['a', 'b']);
    news.isTyping('a', person(1));
    news.ask('another');
    news.clear();
    expect(news.empty).toBe(true);
    // The announcements of this round are lost for good.
    expect(next().complete).toBe(false);
  });
});
