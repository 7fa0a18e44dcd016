import CountIcon from '@mui/icons-material/Calculate';
import { Alert, Box, LinearProgress } from '@mui/material';
import { useMutation } from '@tanstack/react-query';
import type { RetentionDryRun, Room } from '@verbatim/protocol';
import { Button, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { sensitive } from '../service/proof';
import { useRegion } from '../words/region';

/** A rule as if it were in force: for a room, a visibility, or the server. */
export interface Supposed {
  readonly room?: string;
  readonly visibility?: Room['visibility'];
  readonly days: number;
}

/** Counts what the rules would erase now, with one that is only supposed, if there is any. Nothing is erased. */
export function DryRun({ supposed, disabled = false }: { supposed?: Supposed; disabled?: boolean }) {
  const translate = useTranslate();
  const { mutate, data, variables, isPending, error } = useMutation({
    mutationFn: (query: Supposed | undefined) =>
      shown(sensitive(() => client.call('dryRunRetention', { query: { ...query } }))),
  });
  const isOfThis = JSON.stringify(variables) === JSON.stringify(supposed);
  return (
    <Box sx={{ mt: 2 }}>
      <Button label="verbatim.retention.dry_run" onClick={() => mutate(supposed)} disabled={disabled || isPending}>
        <CountIcon />
      </Button>
      <Box role="status" sx={{ mt: 1 }}>
        {isPending && <LinearProgress aria-label={translate('verbatim.retention.counting')} />}
        {data && isOfThis && <Counted counted={data} />}
      </Box>
      {isOfThis && <Failure error={error} sx={{ mt: 1 }} />}
    </Box>
  );
}

function Counted({ counted: { messages, rooms, held, complete } }: { counted: RetentionDryRun }) {
  const translate = useTranslate();
  const format = new Intl.NumberFormat(useRegion());
  return (
    <Alert severity={messages > 0 ? 'warning' : 'info'}>
      {translate(complete ? 'verbatim.retention.would_erase' : 'verbatim.retention.would_erase_more', {
        messages: format.format(messages),
        rooms: format.format(rooms),
      })}{' '}
      {held > 0 && translate('verbatim.retention.would_be_held', { smart_count: held, rooms: format.format(held) })}
    </Alert>
  );
}
