import type { Recorded } from '@verbatim/domain';

/**
 * The attributes that spans may have: ids, kinds and counts. The list is closed: no message texts, names or network
 * addresses.
 */
export interface SpanFacts {
  readonly 'http.request.method'?: string;
  /** The route pattern, not the URL. */
  readonly 'http.route'?: string;
  readonly 'http.response.status_code'?: number;
  /** Type of the command, event or refusal. */
  readonly 'verbatim.command'?: string;
  readonly 'verbatim.event.type'?: string;
  readonly 'verbatim.refused'?: string;
  readonly 'verbatim.door'?: string;
  /** Category and id of the stream. */
  readonly 'verbatim.stream'?: string;
  readonly 'verbatim.event.id'?: string;
  readonly 'verbatim.position'?: number;
  /** Commands appended together. */
  readonly 'verbatim.batch'?: number;
  /** Subscribers that were sent the event. */
  readonly 'verbatim.followers'?: number;
  readonly 'verbatim.projection'?: string;
}

/** A step of a trace in progress. */
export interface Span {
  /** A step within this one. */
  step(name: string, facts?: SpanFacts): Span;
  /** `failed`: by our fault, not by a refusal. */
  end(facts?: SpanFacts, failed?: boolean): void;
}

/**
 * Traces of client requests. The trace id is the correlation id of all events that a request causes, and the id of its
 * first span derives from it. So each replica knows from an event alone which trace and parent span its own steps belong
 * to, and whether the trace is sampled. Undefined: this trace is not sampled.
 */
export interface Tracing {
  /** A client request. `parent` is its `traceparent`, if it sent one. */
  request(correlation: string, name: string, facts?: SpanFacts, parent?: string): Span | undefined;
  /** A command, which becomes the first span of its trace if there is none yet. */
  command(correlation: string, name: string, facts?: SpanFacts): Span | undefined;
  /** Work on events since `began` (milliseconds since 1970), whichever requests caused them. */
  done(name: string, events: readonly Recorded[], began: number, facts?: SpanFacts): void;
  /** Sends the remaining spans, for at most a few seconds. */
  close(): Promise<void>;
}

/** Injection token of `Tracing`; undefined when traces are off. */
export const TRACING = Symbol('tracing');

/** Handles a client request that did not come over HTTP as the first span of its trace. */
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
