import { useQuery } from '@tanstack/react-query';
import { shown } from '../service/failure';
import { textFrom } from '../service/file';
import { isOutage } from '../service/queries';

/** Those who look at the page see a newer checkpoint within this time. */
const AGAIN_MS = 10_000;

/** The newest checkpoint that has its quorum, as a signed note. */
export const useCheckpoint = () =>
  useQuery({
    queryKey: ['audit log', 'checkpoint'],
    queryFn: () => shown(textFrom('/audit/log/checkpoint')),
    // That there is none yet is an answer.
    retry: false,
    refetchInterval: AGAIN_MS,
  });

/** The verifier keys of the log, those of all times; empty as long as they are not known, and if the log is not published. */
export function useVerifierKeys(): readonly string[] {
  const { data } = useQuery({
    queryKey: ['audit log', 'keys'],
    queryFn: () => shown(textFrom('/audit/log/keys')),
    retry: (_, error) => isOutage(error),
    staleTime: 60_000,
  });
  return data?.split('\n').filter((line) => line !== '') ?? [];
}
