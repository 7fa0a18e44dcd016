import { Alert } from '@mui/material';
import { Link, useTranslate } from 'react-admin';
import { HoldsNamed, useHoldsInForce } from '../erasures/held-by';

/** Holds named on this page; the others are on theirs. */
const MOST_NAMED = 10;

/** What legal holds keep back: in how many rooms they did so today, and which holds there are. */
export function KeptBack({ rooms }: { rooms: number }) {
  const translate = useTranslate();
  const holds = useHoldsInForce(true);
  if (rooms === 0 && holds.length === 0) return null;
  return (
    <Alert severity="warning" sx={{ mt: 2 }}>
      {translate('verbatim.retention.kept_back', { smart_count: rooms })}{' '}
      <Link to="/holds">{translate('verbatim.erasures.to_holds')}</Link>
      <HoldsNamed holds={holds.slice(0, MOST_NAMED)} />
    </Alert>
  );
}
