import { allDays, lastDays } from '@verbatim/projections';
import type { Overview as Shown } from '@verbatim/protocol';
import type { Time } from '../clock.js';
import type { Presence } from '../presence/presence.js';
import type { ReadModels } from '../read-models/read-models.js';

const DAYS = 30;

/** How much there is in the service and how much happens: counted by the read models, told by the replicas. */
export class Overview {
  constructor(
    private readonly readModels: ReadModels,
    private readonly presence: Presence,
    private readonly time: Time,
  ) {}

  async now(): Promise<Shown> {
    const { db } = this.readModels;
    const today = this.time.now().toISOString().slice(0, 10);
    const [all, days] = await Promise.all([allDays(db), lastDays(db, today, DAYS)]);
    return {
      accounts: all.people,
      openRooms: all.rooms - all.closed,
      messages: all.messages,
      days: days.map(({ day, people, rooms, messages }) => ({ day, accounts: people, rooms, messages })),
      replicas: Array.from(this.presence.loads, ([id, load], place) => ({
        id,
        answers: place === 0,
        sockets: load?.sockets ?? null,
        people: load?.people ?? null,
      })),
    };
  }
}
