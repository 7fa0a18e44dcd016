import type { Recorded } from '@verbatim/domain';

/**
 * What spans may say: ids, kinds and counts. The list is closed, because what people wrote, or are called, and addresses
 * do not belong there.
 */
export interface SpanFacts {
  readonly 'http.request.method'?: string;
  /** The pattern of the address, not the address. */
  readonly 'http.route'?: string;
  readonly 'http.response.status_code'?: number;
  /** Type of the command, the event, or the refusal. */
  readonly 'verbatim.command'?: string;
  readonly 'verbatim.event.type'?: string;
  readonly 'verbatim.refused'?: string;
  readonly 'verbatim.door'?: string;
  /** Category and id of the stream. */
  readonly 'verbatim.stream'?: string;
  readonly 'verbatim.event.id'?: string;
  readonly 'verbatim.position'?: number;
  /** Commands that were appended together. */
  readonly 'verbatim.batch'?: number;
  /** Subscribers that were sent the event. */
  readonly 'verbatim.followers'?: number;
  readonly 'verbatim.projection'?: string;
}

/** A step of a trace that is under way. */
export interface Span {
  /** A step within this one. */
  step(name: string, facts?: SpanFacts): Span;
  /** `failed`: by our fault, not by a refusal. */
  end(facts?: SpanFacts, failed?: boolean): void;
}

/**
 * Traces of what clients asked for. The id of a trace is the correlation that all events bear which a request leads to, and
 * the id of its first span follows from it. So each replica knows from an event alone to which trace and below which span
 * its own steps belong, and whether the trace is recorded. Undefined: this trace is not.
 */
export interface Tracing {
  /** What a client asked for. `parent` is its `traceparent`, if it sent one. */
  request(correlation: string, name: string, facts?: SpanFacts, parent?: string): Span | undefined;
  /** A command, which is the first span of its trace if nothing else was. */
  command(correlation: string, name: string, facts?: SpanFacts): Span | undefined;
  /** Something that was done with events since `began`, in milliseconds since 1970, by whichever request they were caused. */
  done(name: string, events: readonly Recorded[], began: number, facts?: SpanFacts): void;
  /** Sends what is left, for at most a few seconds. */
  close(): Promise<void>;
}

/** Inject it for `Tracing`; undefined when traces are off. */
export const TRACING = Symbol('tracing');

/** Does what a client asked for by another way than HTTP, as the first span of its trace. */
export async function asRequest<T>(
  tracing: Tracing | undefined,
  correlation: string,
  name: string,
  work: () => Promise<T>,
): Promise<T> {
  const span = tracing?.request(correlation, name);
  if (!span) return work();
  try {
    return await work();
  } finally {
    span.end();
  }
}
