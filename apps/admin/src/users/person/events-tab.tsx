import { Box, Button, Stack, TableCell, TableRow, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { User } from '@verbatim/protocol';
import { useState } from 'react';
import { useRecordContext, useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { PlainTable } from '../../look/plain-table';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { LOOK_AGAIN } from '../../service/look-again';
import { upTo } from '../../service/pages';
import { useMoment } from '../../words/region';
import { type AccountEvent, sentenceOf } from './event-sentence';

/** Events on one page. */
const PAGE = 25;

/** What happened to the account, newest first, as sentences and as recorded. */
export function EventsTab() {
  const user = useRecordContext<User>();
  return user ? <Events key={user.id} id={user.id} /> : null;
}

function Events({ id }: { id: string }) {
  const translate = useTranslate();
  // Revision of the first event of the page; null: always the newest.
  const [from, setFrom] = useState<number | null>(null);
  const { data, error } = useQuery({
    queryKey: ['events of', id, from],
    queryFn: () => shown(read(id, from)),
    refetchInterval: LOOK_AGAIN,
  });
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const { items, total } = data;
  const newest = Math.max(0, total - PAGE);
  const start = items[0]?.revision ?? newest;
  const columns = ['at', 'what', 'actor', 'data'].map((column) => translate(`verbatim.account_events.${column}`));
  return (
    <>
      <Typography color="textSecondary" sx={{ mb: 1 }}>
        {translate('verbatim.account_events.lead')}
      </Typography>
      {total > PAGE && (
        <Stack direction="row" spacing={1} sx={{ mb: 1 }}>
          <Button onClick={() => setFrom(Math.max(0, start - PAGE))} disabled={start === 0}>
            {translate('verbatim.events.older')}
          </Button>
          <Button onClick={() => setFrom(start + PAGE >= newest ? null : start + PAGE)} disabled={start >= newest}>
            {translate('verbatim.events.newer')}
          </Button>
        </Stack>
      )}
      <PlainTable
        label={translate('verbatim.person.events')}
        columns={columns}
        empty={translate('verbatim.events.empty')}
      >
        {items.toReversed().map((event) => (
          <EventRow key={event.revision} event={event} />
        ))}
      </PlainTable>
    </>
  );
}

/** A page of events; without `from` the last one. */
async function read(id: string, from: number | null): Promise<{ items: readonly AccountEvent[]; total: number }> {
  let total = 0;
  const ask = async (from: number) => {
    const { items } = await upTo(PAGE, async (part) => {
      const answer = await client.call('listUserEvents', { params: { id }, query: { from, ...part } });
      total = answer.page.total ?? answer.items.length;
      return answer;
    });
    return items;
  };
  const first = await ask(from ?? 0);
  if (from !== null || total <= PAGE) return { items: first, total };
  return { items: await ask(total - PAGE), total };
}

function EventRow({ event }: { event: AccountEvent }) {
  const translate = useTranslate();
  const moment = useMoment();
  const { at, actor, type, data, revision, hash } = event;
  return (
    <TableRow sx={{ '& td': { verticalAlign: 'top' } }}>
      <TableCell sx={{ whiteSpace: 'nowrap' }}>{moment(at)}</TableCell>
      <TableCell>{sentenceOf(event, translate, moment)}</TableCell>
      <TableCell>{actor?.username ?? translate('verbatim.account_events.themselves')}</TableCell>
      <TableCell>
        <Box component="details" sx={{ '& pre': { m: 0, mt: 1, whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' } }}>
          <summary style={{ whiteSpace: 'nowrap' }}>
            {type} {revision}
          </summary>
          <pre>{JSON.stringify({ ...data, hash }, null, 2)}</pre>
        </Box>
      </TableCell>
    </TableRow>
  );
}
