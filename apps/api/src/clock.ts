/** Where the service gets the time from; tests bring their own. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** The clock, where something must be asked for it by a class. */
export class Time {
  constructor(readonly now: Clock) {}
}
