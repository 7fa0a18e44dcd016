import { id } from './fields.js';
import { z } from './zod.js';

/** The few fields by which other answers name a person. */
export const personSchema = z.object({ id, username: z.string() });
export type Person = z.output<typeof personSchema>;
