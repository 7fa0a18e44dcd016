import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { shown } from '../service/failure';
import { textFrom } from '../service/file';

/**
 * The newest checkpoint that has its quorum, as a signed note. It is reloaded when its state changes, so that
 * an idle page does not ask.
 */
export const useCheckpoint = (known: readonly unknown[], enabled: boolean) =>
  useQuery({
    queryKey: ['audit log', 'checkpoint', ...known],
    queryFn: () => shown(textFrom('/audit/log/checkpoint')),
    enabled,
    // That there is none yet is an answer.
    retry: false,
    placeholderData: keepPreviousData,
    staleTime: Number.POSITIVE_INFINITY,
  });
