import { OutcomeUnknown, VerbatimError } from '@verbatim/client';
import { errors } from '@verbatim/protocol';
import { HttpError } from 'react-admin';

/**
 * What react-admin is to show of a failed call: the service's own words and, to find the request in its logs, the trace.
 * Faults of single fields go into `body.errors`, which forms put beside their inputs.
 */
export function failureOf(error: unknown): unknown {
  if (error instanceof OutcomeUnknown) {
    return new HttpError(
      'The service did not answer in time. The change may have been made; look before you repeat it.',
      503,
    );
  }
  if (!(error instanceof VerbatimError)) return error;
  const { code, traceId } = error;
  const fields = Object.fromEntries(
    (error.errors ?? []).map(({ path, message }) => [path.split('.').slice(1).join('.'), message]),
  );
  return new HttpError(
    traceId ? `${detailOf(error)} (trace ${traceId})` : detailOf(error),
    errors[code]?.status ?? 500,
    {
      code,
      traceId,
      ...(Object.keys(fields).length > 0 && { errors: fields }),
    },
  );
}

/** The sentence of the service, without the code before it. */
export const detailOf = ({ code, message }: VerbatimError): string =>
  message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;

/** The code of the table of errors, if the failure has one. */
export const codeOf = (failure: unknown): string | undefined =>
  failure instanceof VerbatimError ? failure.code : (failure as { body?: { code?: string } } | null)?.body?.code;

/** Waits for the call, and throws what react-admin can show. */
export const shown = <T>(call: Promise<T>): Promise<T> =>
  call.catch((error) => {
    throw failureOf(error);
  });
