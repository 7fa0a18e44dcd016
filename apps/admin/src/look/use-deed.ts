import { useMutation } from '@tanstack/react-query';
import { use } from 'react';
import { useRefresh } from 'react-admin';
import { shown } from '../service/failure';
import { ShowAnew } from './show-anew';

/**
 * Changes something by a call; when that is done, all that is shown is asked for anew. Why it failed is in `error`, for a
 * dialog to show, or told to `onFailed` where there is none.
 */
export function useDeed<A, I = void>(
  deed: (input: I) => Promise<A>,
  onDone: (answer: A) => void,
  onFailed?: (error: Error) => void,
) {
  const refresh = useRefresh();
  const showAnew = use(ShowAnew);
  const { mutate, isPending, error } = useMutation({
    mutationFn: (input: I) => shown(deed(input)),
    onSuccess: (answer) => {
      showAnew();
      refresh();
      onDone(answer);
    },
    onError: onFailed,
  });
  return { act: mutate, busy: isPending, error };
}
