import type { Load } from './presence/announcement.js';

/** How many people and connections this process has, over all doors that keep connections open. */
export class LoadHere {
  private readonly doors: (() => Load)[] = [];

  /** Adds a door; `count` is called whenever somebody asks. */
  add(count: () => Load): void {
    this.doors.push(count);
  }

  /** Somebody who is connected at two doors counts twice. */
  get total(): Load {
    return totalOf(this.doors.map((count) => count()));
  }
}

/** The sum of several loads; those not known count nothing. */
export function totalOf(loads: Iterable<Load | null>): Load {
  const total = { people: 0, sockets: 0 };
  for (const load of loads) {
    total.people += load?.people ?? 0;
    total.sockets += load?.sockets ?? 0;
  }
  return total;
}
