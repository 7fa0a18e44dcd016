import { useMutation } from '@tanstack/react-query';
import { use, useEffect, useRef } from 'react';
import { useNotify, useRefresh } from 'react-admin';
import { shown } from '../service/failure';
import { sensitive } from '../service/proof';
import { useTellFailure } from './failure';
import { ShowAnew } from './show-anew';

/** What a call that may be cancelled takes besides its input. */
export interface Cancellable {
  readonly signal: AbortSignal;
}

/**
 * Changes something by a call, with a proof of who makes it where the service wants one; when that is done, all that is shown
 * is asked for anew. In a dialog, why it failed is in `error`; elsewhere (`told`) it is told. When the dialog is left first, by
 * `cancel` or because it goes away, the call is given up, and what became of it is told.
 */
export function useDeed<A, I = void>(
  deed: (options: Cancellable, input: I) => Promise<A>,
  onDone: (answer: A, input: I) => void,
  told?: 'told',
) {
  const refresh = useRefresh();
  const notify = useNotify();
  const tellFailure = useTellFailure();
  const showAnew = use(ShowAnew);
  const running = useRef<AbortController | null>(null);
  const cancel = useRef(() => running.current?.abort(new Cancelled()));
  useEffect(() => {
    if (told) return;
    const { current } = cancel;
    return current;
  }, [told]);
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: (input: I) => {
      const control = new AbortController();
      running.current = control;
      return shown(sensitive(() => deed({ signal: control.signal }, input)));
    },
    onSuccess: (answer, input) => {
      showAnew();
      refresh();
      onDone(answer, input);
    },
    onError: (failure) => {
      const cancelled = running.current?.signal.aborted;
      if (cancelled) showAnew();
      if (cancelled) refresh();
      if (failure instanceof Cancelled) notify('verbatim.error.cancelled', { type: 'info' });
      else if (told || cancelled) tellFailure(failure);
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

/** A call that was given up before it was sent has changed nothing. */
class Cancelled extends Error {}
