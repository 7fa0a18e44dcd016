import { z } from 'zod';
import { type Rate, readRate, unlimited } from './rate.js';

const rate = (standard: string) =>
  z
    .string()
    .default(standard)
    .transform((text) => readRate(text === '' ? standard : text))
    .refine((read) => read !== undefined, 'must be a number and a period in seconds, such as 100/10')
    .transform((read) => read as Rate);

const number = (standard: number) =>
  z.preprocess((value) => (value === '' ? undefined : value), z.coerce.number().int().min(1).default(standard));

/** The settings of all limits. docs/operations.md explains what each one counts. */
export const limitSettings = {
  LIMIT_SIGN_IN: rate('5/900'),
  LIMIT_SIGN_IN_ADDRESS: rate('50/900'),
  LIMIT_REGISTRATION: rate('20/3600'),
  LIMIT_GUESTS: rate('60/3600'),
  LIMIT_VISITORS: rate('300/60'),
  LIMIT_UPGRADES: rate('300/60'),
  LIMIT_SOCKETS: number(50),
  LIMIT_SOCKETS_ADDRESS: number(2_000),
  LIMIT_CONNECTIONS: number(10_000),
  LIMIT_CONNECTIONS_ADDRESS: number(3_000),
  LIMIT_REQUESTS: number(100),
  LIMIT_REQUESTS_ADDRESS: number(500),
  LIMIT_REQUESTS_PROCESS: number(5_000),
  LIMIT_WAITING_MIB: number(128),
  LIMIT_READ_RATE: rate('65536/60'),
  LIMIT_FRAMES: rate('2000/10'),
  LIMIT_POSTS: rate('100/10'),
  LIMIT_POSTS_CONNECTION: rate('60/10'),
  LIMIT_WRITES: rate('300/60'),
  LIMIT_READS: rate('1200/60'),
  LIMIT_READ_TIME: rate('15000/60'),
  LIMIT_SEARCH: rate('60/60'),
  LIMIT_ROOM_PASSWORDS: rate('10/60'),
};

export type LimitSettings = { readonly [K in keyof typeof limitSettings]: z.output<(typeof limitSettings)[K]> };

/** The settings with all limits off. */
export const noLimits: LimitSettings = {
  ...(Object.fromEntries(
    Object.entries(limitSettings).map(([name, schema]) => [
      name,
      typeof schema.parse(undefined) === 'number' ? Number.POSITIVE_INFINITY : unlimited,
    ]),
  ) as LimitSettings),
  // The only rate that is a minimum.
  LIMIT_READ_RATE: { count: 0, seconds: 1 },
};
