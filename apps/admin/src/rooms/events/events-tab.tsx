import CollapseIcon from '@mui/icons-material/ExpandLess';
import ExpandIcon from '@mui/icons-material/ExpandMore';
import {
  Box,
  Button,
  IconButton,
  Stack,
  Table,
  TableBody,
  TableCell,
  TableContainer,
  TableHead,
  TableRow,
  TextField,
  Typography,
} from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Room, StoredEvent } from '@verbatim/protocol';
import { type FormEvent, Fragment, useState } from 'react';
import { useRecordContext, useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { Moment } from '../../look/moment';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { LOOK_AGAIN } from '../../service/look-again';
import { upTo } from '../../service/pages';
import { usePeople } from '../../users/use-people';
import { useMoment } from '../../words/region';
import { why } from '../reasons';
import { CheckHashes } from './check-hashes';
import { peopleIn, roomEventSentence } from './room-event-sentence';

/** Events on one page. */
const PAGE = 25;

/** The stream of the room as the log holds it, to leaf through and to check. */
export function EventsTab() {
  const room = useRecordContext<Room>();
  return room ? <Stream key={room.id} room={room} /> : null;
}

function Stream({ room }: { room: Room }) {
  const translate = useTranslate();
  const newest = Math.max(0, room.revision - PAGE + 1);
  // The newest event on arrival. Later events do not move the page.
  const [start, setStart] = useState(newest);
  const { data, error } = useQuery({
    queryKey: ['events', room.id, start],
    queryFn: () =>
      shown(
        upTo(PAGE, (part) =>
          client.call('listEvents', { params: { id: room.id }, query: { from: start, ...part } }, { ...why(room.id) }),
        ),
      ),
    refetchInterval: LOOK_AGAIN,
  });
  const events = data?.items ?? [];
  return (
    <Box>
      <Typography color="textSecondary" sx={{ mb: 1 }}>
        {translate('verbatim.events.lead')}
      </Typography>
      <Leaf start={start} newest={newest} onGo={setStart} />
      <Failure error={error} />
      <CheckHashes key={start} events={events} />
      {data && events.length === 0 ? (
        <Typography sx={{ py: 4, textAlign: 'center' }}>{translate('verbatim.events.empty')}</Typography>
      ) : (
        <EventTable events={events} />
      )}
    </Box>
  );
}

function Leaf({ start, newest, onGo }: { start: number; newest: number; onGo(start: number): void }) {
  const translate = useTranslate();
  const [wanted, setWanted] = useState('');
  const go = (event: FormEvent) => {
    event.preventDefault();
    if (/^\d{1,15}$/.test(wanted)) onGo(Number(wanted));
  };
  return (
    <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: 'wrap', alignItems: 'center', mb: 1 }}>
      <Button onClick={() => onGo(Math.max(0, start - PAGE))} disabled={start === 0}>
        {translate('verbatim.events.older')}
      </Button>
      <Button onClick={() => onGo(Math.min(start + PAGE, newest))} disabled={start >= newest}>
        {translate('verbatim.events.newer')}
      </Button>
      <Button onClick={() => onGo(newest)} disabled={start >= newest}>
        {start < newest
          ? translate('verbatim.events.newest_of', { smart_count: newest - start })
          : translate('verbatim.events.newest')}
      </Button>
      <form onSubmit={go}>
        <TextField
          size="small"
          label={translate('verbatim.events.go_to')}
          value={wanted}
          onChange={({ target }) => setWanted(target.value)}
          slotProps={{ htmlInput: { inputMode: 'numeric', maxLength: 15 } }}
          sx={{ width: 160 }}
        />
      </form>
    </Stack>
  );
}

function EventTable({ events }: { events: readonly StoredEvent[] }) {
  const translate = useTranslate();
  const moment = useMoment();
  const people = usePeople(peopleIn(events));
  const nameBy =
    ({ actor }: StoredEvent) =>
    (id: string) =>
      people(id, actor?.id === id ? actor.username : undefined);
  const [open, setOpen] = useState<number | null>(null);
  return (
    // A region that scrolls sideways must be reached by the keyboard.
    <TableContainer tabIndex={0} role="region" aria-label={translate('verbatim.rooms.events')}>
      <Table size="small">
        <TableHead>
          <TableRow>
            <TableCell padding="checkbox" />
            <TableCell align="right">{translate('verbatim.events.revision')}</TableCell>
            <TableCell sx={{ minWidth: 220 }}>{translate('verbatim.events.what')}</TableCell>
            <TableCell>{translate('verbatim.events.at')}</TableCell>
            <TableCell>{translate('verbatim.events.hash')}</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {events.map((event) => (
            <Fragment key={event.revision}>
              <EventRow
                event={event}
                sentence={roomEventSentence(event, { translate, moment, nameOf: nameBy(event) })}
                open={open === event.revision}
                onToggle={() => setOpen(open === event.revision ? null : event.revision)}
              />
              {open === event.revision && <Details event={event} />}
            </Fragment>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

interface EventRowProps {
  readonly event: StoredEvent;
  readonly sentence: string;
  readonly open: boolean;
  onToggle(): void;
}

function EventRow({ event, sentence, open, onToggle }: EventRowProps) {
  const translate = useTranslate();
  const { revision, type, at, hash } = event;
  return (
    <TableRow hover>
      <TableCell padding="checkbox">
        <IconButton
          size="small"
          aria-expanded={open}
          aria-label={translate(open ? 'verbatim.events.hide' : 'verbatim.events.show', { revision })}
          onClick={onToggle}
        >
          {open ? <CollapseIcon /> : <ExpandIcon />}
        </IconButton>
      </TableCell>
      <TableCell align="right">{revision}</TableCell>
      <TableCell>
        {sentence}
        <Typography component="code" variant="caption" color="textSecondary" sx={{ display: 'block' }}>
          {type}
        </Typography>
      </TableCell>
      <TableCell sx={{ whiteSpace: 'nowrap' }}>
        <Moment at={at} />
      </TableCell>
      <TableCell sx={{ fontFamily: 'monospace' }}>{hash.slice(0, 12)}…</TableCell>
    </TableRow>
  );
}

function Details({ event }: { event: StoredEvent }) {
  const translate = useTranslate();
  const { id, position, data, sealed, prev, hash } = event;
  const parts = [
    ['Id', id],
    [translate('verbatim.events.position'), `${position}`],
    [translate('verbatim.events.data'), JSON.stringify(data, null, 2)],
    [translate('verbatim.events.hash'), hash],
    [translate('verbatim.events.prev'), prev ?? '–'],
    [translate('verbatim.events.sealed'), sealed],
  ] as const;
  return (
    <TableRow>
      <TableCell colSpan={5} sx={{ bgcolor: 'action.hover' }}>
        <Box
          component="dl"
          sx={{ m: 0, display: 'grid', gridTemplateColumns: { sm: 'max-content 1fr' }, columnGap: 2, rowGap: 0.5 }}
        >
          {parts.map(([label, value]) => (
            <Fragment key={label}>
              <Typography component="dt" variant="body2" color="textSecondary">
                {label}
              </Typography>
              <Typography
                component="dd"
                variant="body2"
                sx={{ m: 0, fontFamily: 'monospace', whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}
              >
                {value}
              </Typography>
            </Fragment>
          ))}
        </Box>
      </TableCell>
    </TableRow>
  );
}
