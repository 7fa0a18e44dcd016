import type { Person } from '@verbatim/protocol';

/** Somebody as clients see them. A username that is not known is empty. */
export const personAnswer = ({ id, username }: { readonly id: string; readonly username: string | null }): Person => ({
  id,
  username: username ?? '',
});
