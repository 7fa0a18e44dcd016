import CopyIcon from '@mui/icons-material/ContentCopy';
import { Button, Dialog, DialogActions, DialogContent, DialogContentText, DialogTitle, TextField } from '@mui/material';
import { useNotify, useTranslate } from 'react-admin';

interface ShownOnceProps {
  readonly title: string;
  /** Its purpose, and what to do with it. */
  readonly text: string;
  /** Label of the secret. */
  readonly label: string;
  readonly secret: string;
  onEnd(): void;
}

/** A secret that is shown now and never again. A click beside the dialog does not close it. */
export function ShownOnce({ title, text, label, secret, onEnd }: ShownOnceProps) {
  const translate = useTranslate();
  const copy = useCopy();
  return (
    <Dialog open fullWidth maxWidth="sm" aria-labelledby="shown-once-title">
      <DialogTitle id="shown-once-title">{title}</DialogTitle>
      <DialogContent>
        <DialogContentText sx={{ mb: 2 }}>{text}</DialogContentText>
        <TextField
          label={label}
          value={secret}
          multiline
          fullWidth
          margin="dense"
          onFocus={({ target }) => target.select()}
          slotProps={{ htmlInput: { readOnly: true, style: { fontFamily: 'monospace', overflowWrap: 'anywhere' } } }}
        />
      </DialogContent>
      <DialogActions>
        <Button onClick={() => copy(secret)} startIcon={<CopyIcon />} autoFocus>
          {translate('verbatim.copy')}
        </Button>
        <Button onClick={onEnd}>{translate('verbatim.close')}</Button>
      </DialogActions>
    </Dialog>
  );
}

/**
 * Browsers let secure pages write to the clipboard; elsewhere the text is there to be marked and copied by hand. Resolves with
 * whether it was copied.
 */
export function useCopy() {
  const notify = useNotify();
  return async (text: string): Promise<boolean> => {
    try {
      await navigator.clipboard.writeText(text);
      notify('verbatim.copied', { type: 'success' });
      return true;
    } catch {
      notify('verbatim.not_copied', { type: 'warning' });
      return false;
    }
  };
}
