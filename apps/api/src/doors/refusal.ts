import { isRejection, type Rejection } from '@verbatim/domain';
import { codeOfRejection, type ErrorCode, type InputError } from '@verbatim/protocol';

/** What a client receives instead of what it asked for: an entry of the error table. */
export interface ErrorAnswer {
  readonly code: ErrorCode;
  /** One sentence for a person. */
  readonly detail: string;
  readonly more: {
    readonly errors?: InputError[];
    readonly headers?: Record<string, string>;
    /** Milliseconds after which a retry may succeed, where known. */
    readonly retryAfterMs?: number;
  };
}

export const answerTo = ({ rejected, detail, retryAfterMs }: Rejection): ErrorAnswer => ({
  code: codeOfRejection[rejected],
  detail,
  more: { retryAfterMs },
});

/** Refuses a request. Thrown in doors only, where it becomes the response. */
export class Refusal extends Error implements ErrorAnswer {
  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    readonly more: ErrorAnswer['more'] = {},
  ) {
    super(detail);
    this.name = 'Refusal';
  }

  static of(rejection: Rejection): Refusal {
    const { code, detail, more } = answerTo(rejection);
    return new Refusal(code, detail, more);
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
