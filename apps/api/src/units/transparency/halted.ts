/** Nothing may be signed. The message is one sentence for operators: what is wrong, and how to fix it, if possible. */
export class Halted extends Error {
  constructor(
    message: string,
    /** The verifier key of the witness that has a larger checkpoint than the newest one here. */
    readonly witnessAhead: string | null = null,
  ) {
    super(message);
  }
}
