import { Alert, Box } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Hold } from '@verbatim/protocol';
import { Link, useTranslate } from 'react-admin';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { LOOK_AGAIN } from '../service/look-again';
import { ScopeOf } from './scope-of';

/** Which holds forbid it, by their ids. */
export function HeldBy({ holds }: { holds: readonly string[] }) {
  const translate = useTranslate();
  const known = useHoldsInForce(holds.length > 0).filter(({ id }) => holds.includes(id));
  if (holds.length === 0) return null;
  return (
    <Alert severity="warning" sx={{ mb: 2 }}>
      {translate('verbatim.erasures.is_held', { smart_count: holds.length })}{' '}
      <Link to="/holds">{translate('verbatim.erasures.to_holds')}</Link>
      <HoldsNamed holds={known} />
    </Alert>
  );
}

/** The holds in force that were placed last, where they are needed. */
export function useHoldsInForce(enabled: boolean): readonly Hold[] {
  const { data = [] } = useQuery({
    queryKey: ['holds', 'in force'],
    queryFn: () => shown(client.call('listHolds', { query: { limit: 200 } })).then(({ items }) => items),
    enabled,
    refetchInterval: LOOK_AGAIN,
  });
  return data;
}

/** Holds with their scopes and reasons, as a list in a sentence about them. */
export function HoldsNamed({ holds }: { holds: readonly Hold[] }) {
  if (holds.length === 0) return null;
  return (
    <Box component="ul" sx={{ my: 0.5, pl: 2 }}>
      {holds.map((hold) => (
        <Held key={hold.id} hold={hold} />
      ))}
    </Box>
  );
}

function Held({ hold: { scope, reason } }: { hold: Hold }) {
  return (
    <li>
      <ScopeOf scope={scope} />
      {reason && (
        <>
          : <bdi>{reason}</bdi>
        </>
      )}
    </li>
  );
}
