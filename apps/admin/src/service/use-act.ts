import { useMutation } from '@tanstack/react-query';
import { useNotify } from 'react-admin';
import { shown } from './failure';
import { sensitive } from './proof';

/** What a button does: a call, with a proof of who makes it where the service wants one. What goes wrong is told. */
export function useAct<T, What = void>(act: (what: What) => Promise<T>, onDone: (result: T, what: What) => void) {
  const notify = useNotify();
  const { mutate, isPending } = useMutation({
    mutationFn: (what: What) => shown(sensitive(() => act(what))),
    onSuccess: onDone,
    onError: (error) => notify(error.message, { type: 'error' }),
  });
  return { act: mutate, busy: isPending };
}
