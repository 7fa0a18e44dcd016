import { Alert, Box, Button, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Report } from '@verbatim/protocol';
import { useState } from 'react';
import { Link, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { fromHistory, type Said } from '../rooms/messages/conversation';
import { EntryOf } from '../rooms/messages/entry';
import { RedactDialog } from '../rooms/messages/redact-dialog';
import { useNames } from '../rooms/messages/use-names';
import { why } from '../rooms/reasons';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { upTo } from '../service/pages';

/** Messages shown before the one that was reported, and after it. */
const AROUND = 3;

/** The reported message, with its context. */
export function Reported({ report, mayRedact }: { report: Report; mayRedact: boolean }) {
  const translate = useTranslate();
  const { roomId, messageId, messageRevision } = report;
  const [redacting, setRedacting] = useState<Said | null>(null);
  const { data, error, refetch } = useQuery({
    queryKey: ['reported', roomId, messageRevision],
    queryFn: () => shown(around(roomId, messageRevision ?? 0)),
    enabled: messageRevision !== null,
  });
  const nameOf = useNames(data ?? []);
  if (messageRevision === null) return <Alert severity="info">{translate('verbatim.reports.not_there')}</Alert>;
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const said = data.find((entry): entry is Said => entry.kind === 'said' && entry.id === messageId);
  const end = () => {
    setRedacting(null);
    void refetch();
  };
  return (
    <Box sx={{ mt: 2 }}>
      <Typography variant="body2" color="textSecondary">
        {translate('verbatim.reports.around')}
      </Typography>
      <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {data.map((entry) => (
          <EntryOf key={entry.revision} entry={entry} name={nameOf(entry)} found={entry === said} />
        ))}
      </Box>
      <Button component={Link} to={`/rooms/${roomId}/show/messages`}>
        {translate('verbatim.reports.to_room')}
      </Button>
      {mayRedact && said && !said.redacted && (
        <Button color="error" onClick={() => setRedacting(said)}>
          {translate('verbatim.talk.redact_message', { name: nameOf(said) })}
        </Button>
      )}
      {redacting && <RedactDialog room={roomId} said={redacting} onEnd={end} />}
    </Box>
  );
}

async function around(room: string, revision: number) {
  const ask = (order: 'newest' | 'oldest', from: number, limit: number) =>
    upTo(limit, (part) =>
      client.call('listMessages', { params: { id: room }, query: { order, from, ...part } }, { ...why(room) }),
    );
  const [until, after] = await Promise.all([ask('newest', revision, AROUND + 1), ask('oldest', revision + 1, AROUND)]);
  return fromHistory([...after.items.toReversed(), ...until.items]);
}
