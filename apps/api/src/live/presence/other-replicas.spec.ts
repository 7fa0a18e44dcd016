import type { Person } from '@verbatim/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Announcement, RoomStatement } from './announcement.js';
import { OtherReplicas, replicaLimits } from './other-replicas.js';

const ada: Person = { id: 'ada', username: 'ada' };
const bob: Person = { id: 'bob', username: 'bob' };
const cem: Person = { id: 'cem', username: 'cem' };

let others: OtherReplicas;
let notified: string[];
let now: number;
beforeEach(() => {
  notified = [];
  now = 1_000;
  others = new OtherReplicas((room, { username }, online) =>
    notified.push(`${username} ${online ? 'came to' : 'left'} ${room}`),
  );
});

const says = (from: string, number: number, parts: Partial<Announcement> = {}): boolean =>
  others.handle(
    { from, number, round: 1, complete: false, load: null, rooms: [], typing: [], asks: [], bye: false, ...parts },
    now,
  );
const inRoom = (room: string, ...people: Person[]): RoomStatement => ({ room, people });
const present = (room: string) => [...others.peopleIn(room)].map(({ username }) => username).sort();

describe('what a replica announces about a room', () => {
  it('replaces what it announced before', () => {
    says('left', 0, { rooms: [inRoom('a', ada, bob)] });
    says('left', 1, { rooms: [inRoom('a', bob, cem)] });
    expect(notified).toEqual(['ada came to a', 'bob came to a', 'ada left a', 'cem came to a']);
    expect(present('a')).toEqual(['bob', 'cem']);
    says('left', 2, { rooms: [inRoom('a')] });
    expect(notified.slice(4)).toEqual(['bob left a', 'cem left a']);
    expect(others.countIn('a')).toBe(0);
  });

  it('causes no notification about people who are there at another replica', () => {
    says('left', 0, { rooms: [inRoom('a', ada)] });
    says('right', 0, { rooms: [inRoom('a', ada)] });
    says('left', 1, { rooms: [inRoom('a')] });
    expect(notified).toEqual(['ada came to a']);
    says('right', 1, { bye: true });
    expect(notified).toEqual(['ada came to a', 'ada left a']);
    expect(others.size).toBe(1);
  });

  it('may be that there are too many people; then no one is announced', () => {
    says('left', 0, { rooms: [inRoom('a', ada)] });
    says('left', 1, { rooms: [{ room: 'a', people: null }] });
    expect(others.countIn('a')).toBe(Number.POSITIVE_INFINITY);
    says('left', 2, { rooms: [inRoom('a')] });
    expect(notified).toEqual(['ada came to a']);
  });
});

describe('an announcement that was lost', () => {
  it('is noticed, and its sender is asked now and then until it starts a new round', () => {
    now = 10_000;
    says('left', 0, { round: 0 });
    expect(says('left', 1, { round: 1 })).toBe(false);
    now += replicaLimits.asking;
    expect(says('left', 3)).toBe(true);
    now += 1;
    expect(says('left', 4)).toBe(false);
    now += replicaLimits.asking;
    expect(says('left', 5)).toBe(true);
    now += replicaLimits.asking;
    expect(says('left', 6, { round: 2 })).toBe(false);
  });

  it('leaves no one online who has gone since: a complete round announces everyone who is there', () => {
    says('left', 0, { round: 0 });
    says('left', 1, { rooms: [inRoom('a', ada), inRoom('b', bob)], complete: true });
    // The announcement that both have left was lost, and part of the round that is complete now was missed.
    says('left', 3, { rooms: [inRoom('b', bob)], complete: true });
    expect(present('a')).toEqual(['ada']);
    says('left', 4, { round: 2, rooms: [inRoom('b', bob)] });
    expect(present('a')).toEqual(['ada']);
    says('left', 5, { round: 2, complete: true });
    expect(present('a')).toEqual([]);
    expect(notified).toEqual(['ada came to a', 'bob came to b', 'ada left a']);
  });

  it('that arrives late is ignored', () => {
    says('left', 5, { rooms: [inRoom('a', ada)] });
    says('left', 4, { rooms: [inRoom('a')] });
    expect(present('a')).toEqual(['ada']);
  });
});

describe('a replica that falls silent', () => {
  it('is forgotten with all its people, unlike the others', () => {
    says('left', 0, { rooms: [inRoom('a', ada, bob)] });
    now += 5_000;
    says('right', 0, { rooms: [inRoom('a', bob)] });
    others.forgetSilent(now - 1_000);
    expect(notified.slice(2)).toEqual(['ada left a']);
    expect(present('a')).toEqual(['bob']);
  });

  it('does not expire during silence in which no replica could be heard', () => {
    says('left', 0, { rooms: [inRoom('a', ada)] });
    now += 60_000;
    others.excuseSilence(now);
    others.forgetSilent(now - 1_000);
    expect(present('a')).toEqual(['ada']);
  });
});

describe('memory', () => {
  it('is bounded per replica', () => {
    const people = (n: number) => Array.from({ length: 100 }, (_, i) => ({ id: `${n} ${i}`, username: 'x' }));
    const rooms = replicaLimits.people / 100;
    for (let n = 0; n < rooms + 3; n++) says('left', n, { rooms: [{ room: `${n}`, people: people(n) }] });
    expect(others.dropped).toBe(300);
    expect(others.countIn(`${rooms - 1}`)).toBe(100);
    expect(others.countIn(`${rooms}`)).toBe(0);
    // People who leave free space for others.
    says('left', rooms + 3, { rooms: [inRoom('0'), { room: 'late', people: people(0) }] });
    expect(others.countIn('late')).toBe(100);
  });

  it('is bounded for rooms that are too full to announce', () => {
    for (let n = 0; n < replicaLimits.people + 10; n++) says('left', n, { rooms: [{ room: `${n}`, people: null }] });
    expect(others.countIn(`${replicaLimits.people}`)).toBe(0);
  });

  it('is bounded in the number of replicas', () => {
    for (let n = 0; n < replicaLimits.replicas + 2; n++) says(`${n}`, 0, { rooms: [inRoom('a', ada)] });
    expect(others.size).toBe(replicaLimits.replicas);
    expect(others.dropped).toBe(2);
  });
});

it('the load of a replica is known as last announced, until it is gone', () => {
  says('left', 0, { load: { sockets: 3, people: 2 } });
  says('right', 0);
  says('left', 1, { load: { sockets: 4, people: 2 } });
  says('left', 0, { load: { sockets: 9, people: 9 } });
  expect([...others.loads]).toEqual([
    ['left', { sockets: 4, people: 2 }],
    ['right', null],
  ]);
  says('left', 2, { bye: true });
  expect([...others.loads.keys()]).toEqual(['right']);
});
