import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNotify } from 'react-admin';
import { ABOUT } from '../look/announcement';
import { shown } from '../service/failure';

/** Characters of what everybody is told. */
export const MOST = 500;

/**
 * Changes what the service tells everybody about itself, says so, and looks at it anew. `onDone` is of a dialog, which is then
 * over, and shows by itself what went wrong.
 */
export function useChange(change: () => Promise<unknown>, done: string, onDone?: () => void) {
  const notify = useNotify();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => shown(change()),
    onSuccess: () => {
      notify(done);
      onDone?.();
      return queries.invalidateQueries({ queryKey: ABOUT });
    },
    onError: (error) => {
      if (!onDone) notify(error.message, { type: 'error' });
    },
  });
}
