import { count, numberParameter, opaque, parameter, whole } from './fields.js';
import { z } from './zod.js';

/** The query parameters of every list. */
export const paging = {
  limit: numberParameter(whole(1, 200).default(50)).describe(
    'How many items to answer at most. A page of large items, from 1 MiB on, holds fewer.',
  ),
  cursor: parameter(opaque.optional()).describe('The `page.next` of the page before; absent for the first page.'),
};

/** Sort order of a list. A cursor is valid only for the order in which it was issued. */
export const order = z.enum(['asc', 'desc']).describe('Ascending or descending.');

/** A page of a list: `next` is the cursor of the following page, or null on the last one. */
export const listOf = <S extends z.ZodType>(item: S) =>
  z.object({
    items: z.array(item),
    page: z.object({
      next: opaque
        .nullable()
        .describe('Cursor of the next page, null on the last one, however many items this one holds.'),
      total: count.optional().describe('Number of items on all pages, if it is cheap to determine.'),
    }),
  });
