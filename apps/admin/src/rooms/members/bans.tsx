import BanIcon from '@mui/icons-material/Gavel';
import {
  Button,
  Stack,
  Table,
  TableBody,
  TableCell,
  TableContainer,
  TableHead,
  TableRow,
  Typography,
} from '@mui/material';
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Ban, Room, User } from '@verbatim/protocol';
import { useState } from 'react';
import { Link, useNotify, useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { Moment } from '../../look/moment';
import { useAction } from '../../look/use-action';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { LOOK_AGAIN } from '../../service/look-again';
import { why } from '../reasons';
import { FindPerson } from './add-member';
import { BanDialog } from './ban-dialog';

/** Bans on one page. */
const PAGE = 50;

/** Who is kept out of the room, the latest first. */
export function Bans({ room, mayChange }: { room: Room; mayChange: boolean }) {
  const translate = useTranslate();
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['bans', room.id],
    queryFn: ({ pageParam: cursor }) =>
      shown(client.call('listBans', { params: { id: room.id }, query: { limit: PAGE, cursor } }, { ...why(room.id) })),
    initialPageParam: '',
    getNextPageParam: ({ page }) => page.next,
    refetchInterval: LOOK_AGAIN,
  });
  const bans = data?.pages.flatMap(({ items }) => items);
  return (
    <section aria-labelledby="bans">
      <Typography variant="h2" id="bans" sx={{ mt: 4, mb: 1 }}>
        {translate('verbatim.restraints.bans')}
      </Typography>
      {mayChange && <BanSomebody room={room} />}
      <Failure error={error} />
      {bans?.length === 0 && (
        <Typography color="textSecondary">{translate('verbatim.restraints.nobody_banned')}</Typography>
      )}
      {bans && bans.length > 0 && <BanTable room={room} bans={bans} mayChange={mayChange} />}
      {hasNextPage && <Button onClick={() => fetchNextPage()}>{translate('verbatim.more')}</Button>}
    </section>
  );
}

function BanTable({ room, bans, mayChange }: { room: Room; bans: readonly Ban[]; mayChange: boolean }) {
  const translate = useTranslate();
  return (
    // A region that scrolls sideways must be reached by the keyboard.
    <TableContainer tabIndex={0} role="region" aria-labelledby="bans">
      <Table size="small">
        <TableHead>
          <TableRow>
            <TableCell>{translate('resources.members.fields.userId')}</TableCell>
            <TableCell>{translate('verbatim.rooms.reason')}</TableCell>
            <TableCell>{translate('verbatim.restraints.until')}</TableCell>
            <TableCell>{translate('verbatim.restraints.banned_by')}</TableCell>
            {mayChange && <TableCell />}
          </TableRow>
        </TableHead>
        <TableBody>
          {bans.map(({ user, reason, until, by, at }) => (
            <TableRow key={user.id} hover>
              <TableCell>
                <Link to={`/users/${user.id}/show`}>{user.username}</Link>
              </TableCell>
              <TableCell sx={{ overflowWrap: 'anywhere' }}>{reason ?? '–'}</TableCell>
              <TableCell>{until ? <Moment at={until} /> : translate('verbatim.until.forever')}</TableCell>
              <TableCell>
                {by?.username ?? translate('verbatim.talk.service')} <Moment at={at} color="textSecondary" />
              </TableCell>
              {mayChange && (
                <TableCell align="right">
                  <Unban room={room} user={user} />
                </TableCell>
              )}
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

/** Lifting a ban is undone by banning again, so nothing is asked. */
function Unban({ room, user: { id, username: name } }: { room: Room; user: Ban['user'] }) {
  const translate = useTranslate();
  const notify = useNotify();
  const { act, busy } = useAction(
    (options) => client.call('unban', { params: { id: room.id, userId: id } }, options),
    () => notify('verbatim.restraints.unban_done', { messageArgs: { name } }),
    'notify failures',
  );
  return (
    <Button size="small" disabled={busy} onClick={() => act()}>
      {translate('verbatim.restraints.unban', { name })}
    </Button>
  );
}

/** Also people who were never in the room can be kept out of it. */
function BanSomebody({ room }: { room: Room }) {
  const translate = useTranslate();
  const [person, setPerson] = useState<User | null>(null);
  const [asking, setAsking] = useState(false);
  const end = () => {
    setAsking(false);
    setPerson(null);
  };
  return (
    <Stack direction={{ xs: 'column', sm: 'row' }} spacing={1} sx={{ my: 1, alignItems: { sm: 'center' } }}>
      <FindPerson person={person} label="verbatim.restraints.find" onFound={setPerson} />
      <Button
        variant="outlined"
        color="error"
        startIcon={<BanIcon />}
        disabled={!person}
        onClick={() => setAsking(true)}
      >
        {translate('verbatim.restraints.ban')}
      </Button>
      {asking && person && <BanDialog room={room.id} person={{ id: person.id, name: person.username }} onEnd={end} />}
    </Stack>
  );
}
