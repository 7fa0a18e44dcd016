import { useQuery } from '@tanstack/react-query';
import type { AnswerOf } from '@verbatim/protocol';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { LOOK_AGAIN } from '../service/look-again';

export type Overview = AnswerOf<'getOverview'>;

/** How much there is in the whole service, and who needs something; undefined until it is known. */
export const useOverview = (): Overview | undefined =>
  useQuery({
    queryKey: ['overview'],
    queryFn: () => shown(client.call('getOverview')),
    refetchInterval: LOOK_AGAIN,
  }).data;
