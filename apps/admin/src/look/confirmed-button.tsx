import { Button } from '@mui/material';
import { type ReactNode, useState } from 'react';
import { Confirm, useTranslate } from 'react-admin';

interface ConfirmedButtonProps {
  /** Word on the button, and on the one that confirms. */
  readonly label: string;
  /** What the button is called where its word alone does not tell, as in the rows of a table. */
  readonly name?: string;
  readonly icon: ReactNode;
  readonly title: string;
  readonly text: string;
  /** What takes something away is marked as such. */
  readonly takesAway?: boolean;
  readonly busy: boolean;
  onConfirmed(): void;
}

/** A button that does what it says once that is confirmed. */
export function ConfirmedButton(props: ConfirmedButtonProps) {
  const { label, name, icon, title, text, takesAway = false, busy, onConfirmed } = props;
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  const confirmed = () => {
    setAsking(false);
    onConfirmed();
  };
  return (
    <>
      <Button
        size="small"
        startIcon={icon}
        aria-label={name}
        color={takesAway ? 'error' : 'primary'}
        // A button that is disabled loses the focus, and whoever uses the keyboard their place.
        aria-disabled={busy}
        onClick={() => !busy && setAsking(true)}
        sx={{ whiteSpace: 'nowrap', '&[aria-disabled=true]': { opacity: 0.5 } }}
      >
        {translate(label)}
      </Button>
      {/* Gone at once: while it faded away it would ask for what the button has become, and take a second click for it. */}
      {asking && (
        <Confirm
          isOpen
          title={title}
          content={text}
          confirm={translate(label)}
          cancel={translate('verbatim.cancel')}
          confirmColor={takesAway ? 'warning' : 'primary'}
          onConfirm={confirmed}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
