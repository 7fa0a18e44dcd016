import CopyIcon from '@mui/icons-material/ContentCopy';
import { Button, Dialog, DialogActions, DialogContent, DialogContentText, DialogTitle, TextField } from '@mui/material';
import { useId, useRef, useState } from 'react';
import { useTranslate } from 'react-admin';

interface SecretDialogProps {
  readonly title: string;
  readonly text: string;
  /** Label of the secret. */
  readonly label: string;
  readonly secret: string;
  onEnd(): void;
}

/** Shows a secret that is available only once. It closes only with its button, and is not stored. */
export function SecretDialog({ title, text, label, secret, onEnd }: SecretDialogProps) {
  const translate = useTranslate();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    field.current?.select();
    // Where the browser keeps the clipboard to secure pages, the text is selected at least.
    await navigator.clipboard?.writeText(secret).then(
      () => setCopied(true),
      () => undefined,
    );
  };
  return (
    <Dialog open fullWidth maxWidth="sm" aria-labelledby={id}>
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>
        <DialogContentText>{text}</DialogContentText>
        <TextField
          label={label}
          value={secret}
          inputRef={field}
          slotProps={{ htmlInput: { readOnly: true, spellCheck: false, style: { fontFamily: 'monospace' } } }}
          margin="normal"
          fullWidth
          autoFocus
        />
        <Button startIcon={<CopyIcon />} onClick={copy}>
          {translate('verbatim.ask.copy')}
        </Button>
        <span role="status">{copied && translate('verbatim.copied')}</span>
      </DialogContent>
      <DialogActions>
        <Button onClick={onEnd}>{translate('verbatim.ask.noted')}</Button>
      </DialogActions>
    </Dialog>
  );
}
