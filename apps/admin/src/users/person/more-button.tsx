import { Button } from '@mui/material';
import { useTranslate } from 'react-admin';

/** Asks for the next page, if there is one. */
export function MoreButton({ more }: { more: (() => void) | null }) {
  const translate = useTranslate();
  if (!more) return null;
  return (
    <Button onClick={more} sx={{ mt: 1 }}>
      {translate('verbatim.more')}
    </Button>
  );
}
