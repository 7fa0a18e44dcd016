import { z } from 'zod';
import { id } from './fields.js';

/** The few fields by which other answers name a person. */
export const personSchema = z.object({ id, username: z.string() });
export type Person = z.output<typeof personSchema>;
