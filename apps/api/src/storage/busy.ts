import { type Rejection, reject } from '@verbatim/domain';

/** Thrown inside storage when the service is too busy or cannot decide yet; doors answer with its rejection. */
export class Busy extends Error {
  readonly rejection: Rejection;

  constructor(reason: Rejection | string) {
    const rejection = typeof reason === 'string' ? reject('Unavailable', reason) : reason;
    super(rejection.detail);
    this.name = 'Busy';
    this.rejection = rejection;
  }
}
