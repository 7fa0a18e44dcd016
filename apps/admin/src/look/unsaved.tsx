import { Button, Dialog, DialogActions, DialogContent, DialogContentText, DialogTitle } from '@mui/material';
import { type ReactNode, useEffect, useRef } from 'react';
import { useTranslate } from 'react-admin';
import { useFormState } from 'react-hook-form';
import { useBlocker } from 'react-router-dom';
import { client } from '../service/client';

/**
 * Asks before a page is left on which something would be lost, also when the tab is closed. Answers the dialog, which the page
 * has to show; `text` is the key of the sentence in it.
 */
export function useUnsaved(unsaved: boolean, text: string): ReactNode {
  const translate = useTranslate();
  const now = useRef(unsaved);
  now.current = unsaved;
  // People who are no longer signed in cannot save anything.
  const blocker = useBlocker(
    ({ currentLocation, nextLocation }) =>
      now.current && client.user !== null && currentLocation.pathname !== nextLocation.pathname,
  );
  useEffect(() => {
    if (!unsaved) return;
    const warn = (event: BeforeUnloadEvent) => {
      if (now.current) event.preventDefault();
    };
    addEventListener('beforeunload', warn);
    return () => removeEventListener('beforeunload', warn);
  }, [unsaved]);
  useEffect(() => {
    // Anything saved while the dialog was open needs no confirmation any more.
    if (blocker.state === 'blocked' && !unsaved) blocker.proceed();
  }, [blocker, unsaved]);
  if (blocker.state !== 'blocked') return null;
  return (
    <Dialog open onClose={() => blocker.reset()} aria-labelledby="unsaved-title">
      <DialogTitle id="unsaved-title">{translate('verbatim.unsaved.title')}</DialogTitle>
      <DialogContent>
        <DialogContentText>{translate(text)}</DialogContentText>
      </DialogContent>
      <DialogActions>
        <Button onClick={() => blocker.reset()} autoFocus>
          {translate('verbatim.unsaved.stay')}
        </Button>
        <Button color="error" onClick={() => blocker.proceed()}>
          {translate('verbatim.unsaved.leave')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** The same for the form around it, as long as something in it was changed and not saved. */
export function AskBeforeLeaving() {
  const { dirtyFields, isSubmitting, isSubmitSuccessful } = useFormState();
  const changed = Object.keys(dirtyFields).length > 0 && !isSubmitting && !isSubmitSuccessful;
  return useUnsaved(changed, 'verbatim.unsaved.form');
}
