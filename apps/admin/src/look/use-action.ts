import { useMutation } from '@tanstack/react-query';
import { use, useEffect, useRef } from 'react';
import { useNotify, useRefresh } from 'react-admin';
import { shown } from '../service/failure';
import { sensitive } from '../service/proof';
import { useNotifyFailure } from './failure';
import { ShowUpdate } from './show-update';

/** Options of a cancellable call. */
export interface Cancellable {
  readonly signal: AbortSignal;
}

/**
 * Makes a change with a call, after a confirmation if the service requires one, and then reloads everything on the page. In a
 * dialog, the failure is in `error`; elsewhere (`notify failures`) it is shown as a notification. If the dialog is cancelled or
 * closed first, the call is aborted, and a notification says what became of it.
 */
export function useAction<A, I = void>(
  action: (options: Cancellable, input: I) => Promise<A>,
  onDone: (answer: A, input: I) => void,
  failures?: 'notify failures',
) {
  const refresh = useRefresh();
  const notify = useNotify();
  const notifyFailure = useNotifyFailure();
  const showUpdate = use(ShowUpdate);
  const running = useRef<AbortController | null>(null);
  const cancel = useRef(() => running.current?.abort(new Cancelled()));
  useEffect(() => {
    if (failures) return;
    const { current } = cancel;
    return current;
  }, [failures]);
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: (input: I) => {
      const control = new AbortController();
      running.current = control;
      return shown(sensitive(() => action({ signal: control.signal }, input)));
    },
    onSuccess: (answer, input) => {
      showUpdate();
      refresh();
      onDone(answer, input);
    },
    onError: (failure) => {
      const cancelled = running.current?.signal.aborted;
      if (cancelled) showUpdate();
      if (cancelled) refresh();
      if (failure instanceof Cancelled) notify('verbatim.error.cancelled', { type: 'info' });
      else if (failures || cancelled) notifyFailure(failure);
    },
    onSettled: () => {
      running.current = null;
    },
  });
  const leave = () => {
    cancel.current();
    reset();
  };
  return { act: mutate, busy: isPending, error, cancel: leave };
}

/** A call that was aborted before it was sent has changed nothing. */
class Cancelled extends Error {}
