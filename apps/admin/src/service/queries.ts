import { QueryClient } from '@tanstack/react-query';
import { OutcomeUnknown } from '@verbatim/client';
import { codeOf } from './failure';

/** Milliseconds between two attempts to read something while the service is away. */
const AGAIN_MS = 2_000;

/** Whether a call failed only because the service could not be reached. */
export const isOutage = (error: unknown): boolean =>
  error instanceof OutcomeUnknown || codeOf(error) === 'unavailable' || (error as { status?: number })?.status === 503;

/**
 * What is shown is asked for until the service is back: an outage says nothing about what there is, so no page may take it for
 * an answer. The pages of react-admin give up at once unless they are given these options.
 */
export const untilAnswered = {
  retry: (_: number, error: unknown) => isOutage(error),
  retryDelay: AGAIN_MS,
  networkMode: 'always',
} as const;

export const queryClient = new QueryClient({
  defaultOptions: { queries: untilAnswered, mutations: { networkMode: 'always' } },
});
