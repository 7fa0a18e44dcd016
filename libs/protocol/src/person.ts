import { id } from './fields.js';
import { z } from './zod.js';

/** How other answers refer to a person. */
export const personSchema = z.object({ id, username: z.string() });
export type Person = z.output<typeof personSchema>;
