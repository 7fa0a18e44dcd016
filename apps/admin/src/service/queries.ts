import { QueryClient } from '@tanstack/react-query';
import { OutcomeUnknown } from '@verbatim/client';
import { codeOf } from './failure';
import { LOOK_AGAIN } from './look-again';

/** Milliseconds between two attempts to read something while the service is away. */
const AGAIN_MS = 2_000;

/** Whether a call failed only because the service could not be reached. */
export const isOutage = (error: unknown): boolean =>
  error instanceof OutcomeUnknown || codeOf(error) === 'unavailable' || (error as { status?: number })?.status === 503;

/**
 * Queries are retried until the service is back: an outage says nothing about the data, so no page may treat it as
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

/** Of parts of pages that keep up by themselves. */
export const live = { ...untilAnswered, refetchInterval: LOOK_AGAIN } as const;

/** Of lists: rows of another page, order or filter are not shown while those that were asked for are on their way. */
export const liveList = { ...live, placeholderData: undefined } as const;

/** For pages of one record, which show a message of their own if it does not exist. */
export const liveRecord = { ...live, onError: () => undefined } as const;
