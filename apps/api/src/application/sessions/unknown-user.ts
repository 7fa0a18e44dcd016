import { type Rejection, reject, type UserState } from '@verbatim/domain';

export const noSuchUser = reject('NotFound', 'There is no such user.');

/** The rejection for an account that was never registered; null for all others. */
export const unknownUser = ({ status }: UserState): Rejection | null =>
  status === 'unborn' || status === 'abandoned' ? noSuchUser : null;
