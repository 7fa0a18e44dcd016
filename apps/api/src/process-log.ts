import { type DestinationStream, type Logger, pino } from 'pino';

/** The process log: one line of JSON per entry, without network addresses and anything that people wrote or are called. */
export const processLog = (level: string, destination?: DestinationStream): Logger => {
  const options = { level, serializers: { err: describeError } };
  return destination ? pino(options, destination) : pino(options);
};

/** An error as logged. */
export interface DescribedError {
  readonly type: string;
  readonly message: string;
  /** Where it was thrown, without the message. */
  readonly stack?: string;
  readonly code?: string;
  /** Names of the database or system objects concerned. */
  readonly [place: string]: unknown;
  readonly causes?: readonly DescribedError[];
}

/** Names, never values. PostgreSQL has values in `detail`, `where` and others. */
const places = [
  'severity',
  'schema_name',
  'table_name',
  'column_name',
  'constraint_name',
  'routine',
  'syscall',
  'errno',
];

/** Deeper causes are omitted. */
const MOST_CAUSES = 5;

/**
 * Describes an error for the log. Messages that quote data are replaced: those of PostgreSQL about data (SQLSTATE classes
 * 22 and 23), and those of JSON parsing.
 */
export function describeError(error: unknown, depth = 0): DescribedError | string {
  if (!(error instanceof Error)) return typeof error;
  const fields = error as Error & Record<string, unknown>;
  const code = typeof fields.code === 'string' ? fields.code : undefined;
  const causes = [error.cause, ...(error instanceof AggregateError ? error.errors : [])].filter(
    (cause) => cause instanceof Error,
  );
  return {
    type: error.name,
    message: messageOf(error, code),
    stack: (error.stack ?? '')
      .split('\n')
      .filter((line) => /^ {4}at /.test(line))
      .join('\n'),
    ...(code !== undefined && { code }),
    ...Object.fromEntries(places.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]])),
    ...(causes.length > 0 &&
      depth < MOST_CAUSES && { causes: causes.map((cause) => describeError(cause, depth + 1) as DescribedError) }),
  };
}

function messageOf(error: Error, code = ''): string {
  if (error.name === 'PostgresError' && /^2[23]/.test(code)) return `The database rejected data (${code}).`;
  if (error instanceof SyntaxError) return 'A text could not be parsed.';
  return error.message;
}
