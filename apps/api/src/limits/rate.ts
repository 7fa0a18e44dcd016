/** How often something may happen: bursts of `count`, refilled every `seconds`. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
}

/** For `RATE_LIMITS=off`. */
export const unlimited: Rate = { count: Number.POSITIVE_INFINITY, seconds: 1 };

/** Parses `100/10`: a hundred in ten seconds. Undefined if invalid. */
export function readRate(text: string): Rate | undefined {
  const [, count, seconds] = /^([1-9]\d{0,6})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  return count === undefined ? undefined : { count: Number(count), seconds: Number(seconds) };
}
