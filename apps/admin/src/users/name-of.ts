import type { User } from '@verbatim/protocol';

/** What a person is called; the username once the display name is forgotten. */
export const nameOf = ({ displayName, username }: Pick<User, 'displayName' | 'username'>): string =>
  displayName || username;
