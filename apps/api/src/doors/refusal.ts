import { isRejection, type Rejection } from '@verbatim/domain';
import { codeOfRejection, type ErrorCode, type InputError } from '@verbatim/protocol';

/** Refuses a request with an entry of the error table. Thrown in doors only, where it becomes the response. */
export class Refusal extends Error {
  constructor(
    readonly code: ErrorCode,
    /** One sentence for a person. */
    readonly detail: string,
    readonly more: {
      readonly errors?: InputError[];
      readonly headers?: Record<string, string>;
      /** Milliseconds after which a retry may succeed, where known. */
      readonly retryAfterMs?: number;
    } = {},
  ) {
    super(detail);
    this.name = 'Refusal';
  }

  static of({ rejected, detail, retryAfterMs }: Rejection): Refusal {
    return new Refusal(codeOfRejection[rejected], detail, { retryAfterMs });
  }
}

/** The rejection that an error carries, if a rejection aborted deeper code. */
export function rejectionIn(error: unknown): Rejection | null {
  const { rejection } = (error ?? {}) as { rejection?: unknown };
  return typeof rejection === 'object' && rejection !== null && isRejection(rejection) ? rejection : null;
}

/** Returns the accepted outcome; throws a rejection as a Refusal. */
export function accepted<T extends object>(outcome: T | Rejection): T {
  if (isRejection(outcome)) throw Refusal.of(outcome);
  return outcome;
}
