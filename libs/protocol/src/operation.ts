import { z } from 'zod';

/** The number of this contract; it changes only when clients would break. */
export const protocol = 1;

export const healthSchema = z.object({ status: z.literal('ok') });

export const aboutSchema = z.object({ name: z.string(), version: z.string(), protocol: z.literal(protocol) });

/** Text in the exposition format of Prometheus. */
export const metricsSchema = z.string();

/** A document in JSON whose form is defined elsewhere. */
export const documentSchema = z.record(z.string(), z.unknown());
