import { Alert, Button, Stack } from '@mui/material';
import type { StoredEvent } from '@verbatim/protocol';
import { useState } from 'react';
import { useTranslate } from 'react-admin';
import { breakIn } from './chain';

type Outcome = { is: 'fits'; count: number } | { is: 'broken'; revision: number };

/** Computes the hashes of the shown events in this browser, without trusting the service. */
export function CheckHashes({ events }: { events: readonly StoredEvent[] }) {
  const translate = useTranslate();
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  if (!globalThis.crypto?.subtle) return <Alert severity="info">{translate('verbatim.events.cannot_check')}</Alert>;
  const check = async () => {
    const revision = await breakIn(events);
    setOutcome(revision === null ? { is: 'fits', count: events.length } : { is: 'broken', revision });
  };
  return (
    <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: 'wrap', alignItems: 'center', mb: 1 }} role="status">
      <Button variant="outlined" onClick={check} disabled={events.length === 0}>
        {translate('verbatim.events.check')}
      </Button>
      {outcome?.is === 'fits' && (
        <Alert severity="success">{translate('verbatim.events.fits', { smart_count: outcome.count })}</Alert>
      )}
      {outcome?.is === 'broken' && (
        <Alert severity="error">{translate('verbatim.events.broken', { revision: outcome.revision })}</Alert>
      )}
    </Stack>
  );
}
