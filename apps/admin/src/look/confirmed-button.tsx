import { Button } from '@mui/material';
import { type ReactNode, useState } from 'react';
import { useTranslate } from 'react-admin';
import { AskDialog } from './ask-dialog';
import { type Cancellable, useAction } from './use-action';

interface ConfirmedButtonProps<A> {
  /** Label of the button, and of the one that confirms. */
  readonly label: string;
  /** Accessible name of the button where its text is not enough, as in the rows of a table. */
  readonly name?: string;
  readonly icon: ReactNode;
  readonly title: string;
  readonly text: string;
  /** Destructive actions are highlighted. */
  readonly takesAway?: boolean;
  perform(options: Cancellable): Promise<A>;
  onDone(answer: A): void;
}

/** A button whose action has to be confirmed. */
export function ConfirmedButton<A>(props: ConfirmedButtonProps<A>) {
  const { label, name, icon, takesAway = false } = props;
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  return (
    <>
      <Button
        size="small"
        startIcon={icon}
        aria-label={name}
        color={takesAway ? 'error' : 'primary'}
        onClick={() => setAsking(true)}
        sx={{ whiteSpace: 'nowrap' }}
      >
        {translate(label)}
      </Button>
      {asking && <Confirmation {...props} onEnd={() => setAsking(false)} />}
    </>
  );
}

function Confirmation<A>({
  label,
  title,
  text,
  takesAway,
  perform,
  onDone,
  onEnd,
}: ConfirmedButtonProps<A> & { onEnd(): void }) {
  const translate = useTranslate();
  const { act, busy, error } = useAction(perform, (answer: A) => {
    onEnd();
    onDone(answer);
  });
  return (
    <AskDialog
      title={title}
      text={text}
      action={translate(label)}
      color={takesAway ? 'error' : 'primary'}
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    />
  );
}
