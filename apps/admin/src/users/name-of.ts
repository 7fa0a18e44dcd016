import type { User } from '@verbatim/protocol';

/** The name of a person; the username once the display name is erased. */
export const nameOf = ({ displayName, username }: Pick<User, 'displayName' | 'username'>): string =>
  displayName || username;
