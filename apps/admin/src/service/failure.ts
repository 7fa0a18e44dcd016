import { OutcomeUnknown, VerbatimError } from '@verbatim/client';
import { type ErrorCode, errors } from '@verbatim/protocol';
import { HttpError } from 'react-admin';
import { i18nProvider } from '../words/i18n';

/**
 * What react-admin is to show of a failed call: a sentence in the language of the person, found by the code of the error and,
 * to find the request in the logs of the service, the trace. Faults of single fields go into `body.errors`, which forms put
 * beside their inputs.
 */
export function failureOf(error: unknown): unknown {
  if (error instanceof OutcomeUnknown) {
    return new HttpError(i18nProvider.translate('verbatim.error.outcome_unknown'), 503, { code: 'outcome_unknown' });
  }
  if (!(error instanceof VerbatimError)) return error;
  const { code, traceId } = error;
  const fields = Object.fromEntries(
    (error.errors ?? []).map(({ path, message }) => [path.split('.').slice(1).join('.'), message]),
  );
  const sentence = sentenceOf(error);
  return new HttpError(traceId ? `${sentence} (trace ${traceId})` : sentence, errors[code]?.status ?? 500, {
    code,
    traceId,
    ...(Object.keys(fields).length > 0 && { errors: fields }),
  });
}

/** Codes with many possible reasons: the service's own text is shown beside the sentence for the code. */
const various: readonly ErrorCode[] = [
  'invalid_request',
  'forbidden',
  'not_found',
  'conflict',
  'name_taken',
  'too_large',
];

/** What went wrong, in the person's language. The service's own texts are in English, so they are shown only in English. */
export function sentenceOf(error: VerbatimError): string {
  const { translate } = i18nProvider;
  const { code } = error;
  const sentence = code in errors ? translate(`verbatim.error.${code}`) : translate('verbatim.error.internal');
  if (i18nProvider.getLocale() !== 'en' || !various.includes(code)) return sentence;
  const detail = detailOf(error);
  return detail && !/\b(GET|POST|PUT|PATCH|DELETE) \//.test(detail) ? detail : sentence;
}

/** The sentence of the service, without the code before it. */
const detailOf = ({ code, message }: VerbatimError): string =>
  message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;

/** The code of the table of errors, if the failure has one. */
export const codeOf = (failure: unknown): string | undefined =>
  failure instanceof VerbatimError ? failure.code : (failure as { body?: { code?: string } } | null)?.body?.code;

/** Waits for the call, and throws what react-admin can show. */
export const shown = <T>(call: Promise<T>): Promise<T> =>
  call.catch((error) => {
    throw failureOf(error);
  });
