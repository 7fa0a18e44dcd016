import { describe, expect, it } from 'vitest';
import { Deliveries } from './deliveries.js';

/** Sends texts of a room at these revisions; returns their packet ids. */
const send = (deliveries: Deliveries, roomId: string, ...revisions: bigint[]): number[] =>
  revisions.map((through) => deliveries.send({ roomId, through }));

describe('how far a room is acknowledged', () => {
  it('advances without gaps, in any order of acknowledgements', () => {
    const deliveries = new Deliveries();
    const [one, two, three] = send(deliveries, 'a', 5n, 7n, 9n) as [number, number, number];
    deliveries.pass({ roomId: 'a', through: 12n });
    deliveries.acknowledge(two);
    expect(deliveries.takeMoved()).toEqual(new Map());
    deliveries.acknowledge(one);
    expect(deliveries.takeMoved()).toEqual(new Map([['a', 7n]]));
    deliveries.acknowledge(three);
    expect(deliveries.takeMoved()).toEqual(new Map([['a', 12n]]));
    expect(deliveries.waiting).toBe(0);
  });

  it('advances by itself where nothing has to be acknowledged', () => {
    const deliveries = new Deliveries();
    deliveries.pass({ roomId: 'a', through: 3n });
    expect(deliveries.takeMoved()).toEqual(new Map([['a', 3n]]));
    expect(deliveries.acknowledge(1)).toBe(false);
  });

  it('is separate for each room, and packet ids in use are not reused', () => {
    const deliveries = new Deliveries();
    const ids = [...send(deliveries, 'a', 1n), ...send(deliveries, 'b', 1n)];
    expect(new Set(ids).size).toBe(2);
    deliveries.acknowledge(ids[1] as number);
    expect(deliveries.takeMoved()).toEqual(new Map([['b', 1n]]));
    for (let i = 0; i < 70_000; i++) deliveries.acknowledge(send(deliveries, 'c', BigInt(i))[0] as number);
    expect(deliveries.waiting).toBe(1);
  });

  it('fails when all packet ids are in use', () => {
    const deliveries = new Deliveries();
    for (let i = 0; i < 65_535; i++) send(deliveries, 'a', BigInt(i));
    expect(() => send(deliveries, 'a', 65_535n)).toThrow();
  });
});
