import {
  Box,
  Button,
  type ButtonProps,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  LinearProgress,
  TextField,
  Typography,
} from '@mui/material';
import { type FormEvent, type ReactNode, useId, useState } from 'react';
import { useTranslate } from 'react-admin';
import { Failure } from './failure';

interface AskDialogProps {
  /** These three are complete, translated texts. */
  readonly title: string;
  readonly text?: ReactNode;
  readonly action: string;
  readonly color?: ButtonProps['color'];
  /** Text to type before an action that cannot be undone. */
  readonly typed?: string;
  /** False: something is still missing. */
  readonly ready?: boolean;
  readonly busy: boolean;
  /** Why it did not succeed. */
  readonly error: Error | null;
  /** Keys of sentences for codes of errors that mean something more special here. */
  readonly meanings?: Readonly<Record<string, string>>;
  readonly children?: ReactNode;
  onSubmit(): void;
  onEnd(): void;
}

/** Asks for confirmation, and shows errors in the same place. It can be closed at any time. */
export function AskDialog(props: AskDialogProps) {
  const { title, text, action, color, typed, ready = true, busy, error, meanings, children, onSubmit, onEnd } = props;
  const translate = useTranslate();
  const id = useId();
  const [given, setGiven] = useState('');
  const sure = ready && (typed === undefined || given.trim() === typed);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    // Inputs here must not submit a form behind the dialog.
    event.stopPropagation();
    if (sure && !busy) onSubmit();
  };
  return (
    <Dialog open onClose={onEnd} fullWidth maxWidth="sm" aria-labelledby={id}>
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
          <Failure error={error} meanings={meanings} sx={{ mt: 1 }} />
          {busy && <Waiting />}
        </DialogContent>
        <DialogActions>
          {/* Something in the dialog has the focus from the beginning, for those who hear what is there. */}
          <Button onClick={onEnd} autoFocus={!children && typed === undefined}>
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

/** During an outage an action may take a while, and can be cancelled. */
function Waiting() {
  const translate = useTranslate();
  return (
    <Box role="status" sx={{ mt: 2 }}>
      <LinearProgress />
      <Typography variant="body2" color="textSecondary" sx={{ mt: 1 }}>
        {translate('verbatim.ask.busy')}
      </Typography>
    </Box>
  );
}

interface ReasonInputProps {
  readonly value: string;
  /** Key of the sentence that says who can read it. */
  readonly help?: string;
  /** False if something else has to be done first. */
  readonly first?: boolean;
  onChange(reason: string): void;
}

/** Asks for a reason; calls `onChange` with the input. */
export function ReasonInput({ value, help = 'verbatim.rooms.reason_help', first = true, onChange }: ReasonInputProps) {
  const translate = useTranslate();
  return (
    <TextField
      label={translate('verbatim.rooms.reason')}
      helperText={translate(help)}
      value={value}
      onChange={({ target }) => onChange(target.value)}
      slotProps={{ htmlInput: { maxLength: 500 } }}
      margin="normal"
      fullWidth
      autoFocus={first}
    />
  );
}
