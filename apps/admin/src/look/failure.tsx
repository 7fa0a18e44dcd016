import { Alert, Button, type SxProps } from '@mui/material';
import { Link, useNotify, useTranslate } from 'react-admin';
import { codeOf } from '../service/failure';

/** Where people can fix the cause of an error, and the text of the link. */
const remedies: Readonly<Record<string, { readonly to: string; readonly label: string }>> = {
  mfa_required: { to: '/account/second-factor', label: 'verbatim.error.to_second_factor' },
  maintenance: { to: '/settings', label: 'verbatim.error.to_maintenance' },
};

interface FailureProps {
  readonly error: unknown;
  /** Keys of sentences for codes that mean something more special here. */
  readonly meanings?: Meanings;
  readonly sx?: SxProps;
}

type Meanings = Readonly<Record<string, string>>;

/** Why something failed, with a link to where it can be fixed. Renders nothing if there is no error. */
export function Failure({ error, meanings, sx }: FailureProps) {
  if (!error) return null;
  return (
    <Alert severity="error" sx={sx} action={<Remedy error={error} />}>
      <Sentence error={error} meanings={meanings} />
    </Alert>
  );
}

/** Shows a notification about a failure that has no place of its own on the page. */
export function useNotifyFailure(): (error: unknown) => void {
  const notify = useNotify();
  return (error) =>
    notify(
      <Alert severity="error" variant="filled" action={<Remedy error={error} />} sx={{ overflowWrap: 'anywhere' }}>
        <Sentence error={error} />
      </Alert>,
      { autoHideDuration: 10_000 },
    );
}

/** Errors that do not come from the service have the key of a sentence as their message. */
function Sentence({ error, meanings }: { error: unknown; meanings?: Meanings | undefined }) {
  const translate = useTranslate();
  const message = meanings?.[codeOf(error) ?? ''] ?? (error as Error).message;
  return <>{translate(message, { _: message })}</>;
}

function Remedy({ error }: { error: unknown }) {
  const translate = useTranslate();
  const remedy = remedies[codeOf(error) ?? ''];
  return remedy ? (
    <Button component={Link} to={remedy.to} color="inherit" size="small">
      {translate(remedy.label)}
    </Button>
  ) : null;
}
