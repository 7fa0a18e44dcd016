import type { Load } from './presence/announcement.js';

/** How many people and connections this process has, over all doors with long-lived connections. */
export class LoadHere {
  private readonly doors: (() => Load)[] = [];

  /** Adds a door; `count` is called on each request. */
  add(count: () => Load): void {
    this.doors.push(count);
  }

  /** A person connected through two doors counts twice. */
  get total(): Load {
    return totalOf(this.doors.map((count) => count()));
  }
}

/** The sum of several loads; unknown ones count as zero. */
export function totalOf(loads: Iterable<Load | null>): Load {
  const total = { people: 0, sockets: 0 };
  for (const load of loads) {
    total.people += load?.people ?? 0;
    total.sockets += load?.sockets ?? 0;
  }
  return total;
}
