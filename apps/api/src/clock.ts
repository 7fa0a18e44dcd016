/** The source of time of the service; tests use their own. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** The clock as an injectable class. */
export class Time {
  constructor(readonly now: Clock) {}
}
