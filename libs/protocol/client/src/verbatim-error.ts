import { type ErrorCode, type ErrorFrame, errors, type InputError, type Problem } from '@verbatim/protocol';

/** Details of an error besides its code and message. */
interface Details {
  /** Finds the request in the logs of the service; absent for errors over the socket, and for those found here. */
  readonly traceId?: string;
  /** What is wrong with the input, if anything. */
  readonly errors?: readonly InputError[];
  /** Milliseconds to wait before trying again, where the service says so. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A refusal by the service: an entry in the error table of `@verbatim/protocol`. */
export class VerbatimError extends Error {
  override readonly name = 'VerbatimError';
  /** Later versions of the service may add codes. */
  readonly code: ErrorCode;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  readonly traceId?: string;
  readonly errors?: readonly InputError[];
  readonly retryAfterMs?: number;

  constructor(
    code: ErrorCode,
    detail: string,
    { cause, ...details }: Details = {},
    retryable = errors[code]?.retryable,
  ) {
    super(`${code}: ${detail}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.retryable = retryable ?? false;
    Object.assign(this, details);
  }

  /** The content of a REST error or an `error` frame. */
  static of(answer: Problem | ErrorFrame, retryAfterMs?: number): VerbatimError {
    const { code, detail, retryable, errors: found } = answer;
    const after = retryAfterMs ?? ('retryAfterMs' in answer ? answer.retryAfterMs : undefined);
    return new VerbatimError(
      code,
      detail,
      {
        ...('traceId' in answer && { traceId: answer.traceId }),
        ...(found && { errors: found }),
        ...(after !== undefined && { retryAfterMs: after }),
      },
      retryable,
    );
  }
}

/**
 * It is unknown whether the write took or will take effect: no definite answer arrived before the deadline, or the caller
 * cancelled. Repeating it with the same `id` is safe and returns the result.
 */
export class OutcomeUnknown extends Error {
  override readonly name = 'OutcomeUnknown';

  constructor(
    /** Of the message for posts, the Idempotency-Key for other writes, the username for registering. */
    readonly id: string,
    cause?: unknown,
  ) {
    super('It is not known whether this took effect.', { cause });
  }
}

/** A following without `onReset` is so far behind that the service does not send the events in between. */
export class TooFarBehind extends Error {
  override readonly name = 'TooFarBehind';

  constructor(
    readonly room: string,
    /** The last revision known. */
    readonly after: number,
    /** The newest revision of the room. */
    readonly revision: number,
  ) {
    super(`The events after revision ${after} are not sent; page through the history up to ${revision}.`);
  }
}

/** One attempt brought no answer. `sent` is false where the request certainly did not arrive. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';

  constructor(
    readonly sent: boolean,
    cause?: unknown,
  ) {
    super('No answer came.', { cause });
  }
}
