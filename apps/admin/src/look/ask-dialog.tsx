import {
  Alert,
  Button,
  type ButtonProps,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  TextField,
} from '@mui/material';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { useTranslate } from 'react-admin';

interface AskDialogProps {
  /** These three are whole sentences or words, translated already. */
  readonly title: string;
  readonly text?: string;
  readonly action: string;
  readonly color?: ButtonProps['color'];
  /** What has to be typed first: for what cannot be undone. */
  readonly typed?: string;
  /** False: something is still missing. */
  readonly ready?: boolean;
  readonly busy: boolean;
  /** Why it did not succeed. */
  readonly error: Error | null;
  readonly children?: ReactNode;
  onSubmit(): void;
  onEnd(): void;
}

/** Asks before something is done, and says in its place what went wrong. */
export function AskDialog(props: AskDialogProps) {
  const { title, text, action, color, typed, ready = true, busy, error, children, onSubmit, onEnd } = props;
  const translate = useTranslate();
  const id = useId();
  const [given, setGiven] = useState('');
  const sure = ready && (typed === undefined || given.trim() === typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (sure && !busy) onSubmit();
  };
  return (
    <Dialog open onClose={busy ? undefined : onEnd} fullWidth maxWidth="sm" aria-labelledby={id}>
      <form onSubmit={submit}>
        <DialogTitle id={id}>{title}</DialogTitle>
        <DialogContent>
          {text && <DialogContentText>{text}</DialogContentText>}
          {children}
          {typed !== undefined && (
            <TextField
              label={translate('verbatim.ask.type', { typed })}
              value={given}
              onChange={({ target }) => setGiven(target.value)}
              autoComplete="off"
              margin="normal"
              fullWidth
              autoFocus={!children}
            />
          )}
          {error && (
            <Alert severity="error" sx={{ mt: 1 }}>
              {error.message}
            </Alert>
          )}
        </DialogContent>
        <DialogActions>
          {/* Something in the dialog has the focus from the beginning, for those who hear what is there. */}
          <Button onClick={onEnd} disabled={busy} autoFocus={!children && typed === undefined}>
            {translate('verbatim.cancel')}
          </Button>
          <Button type="submit" color={color} disabled={!sure || busy}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** Where a reason is asked for; `onChange` is told what was typed. */
export function ReasonInput({ value, onChange }: { value: string; onChange(reason: string): void }) {
  const translate = useTranslate();
  return (
    <TextField
      label={translate('verbatim.rooms.reason')}
      helperText={translate('verbatim.rooms.reason_help')}
      value={value}
      onChange={({ target }) => onChange(target.value)}
      slotProps={{ htmlInput: { maxLength: 500 } }}
      margin="normal"
      fullWidth
      autoFocus
    />
  );
}
