import LogoutIcon from '@mui/icons-material/Logout';
import { Box, Chip, TableCell, TableRow } from '@mui/material';
import type { LiveSession, User } from '@verbatim/protocol';
import { useCanAccess, useNotify, useRecordContext, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../../look/confirmed-button';
import { Failure } from '../../look/failure';
import { PlainTable } from '../../look/plain-table';
import { client } from '../../service/client';
import { EndSession } from '../../sessions/end-session';
import { useMoment } from '../../words/region';
import { nameOf } from '../name-of';
import { MoreButton } from './more-button';
import { usePages } from './use-pages';

/** Where the person is signed in. Administrators end one session, or all. */
export function SessionsTab() {
  const user = useRecordContext<User>();
  return user ? <Sessions key={user.id} user={user} /> : null;
}

const keyOf = (id: string) => ['sessions of', id];

function Sessions({ user }: { user: User }) {
  const translate = useTranslate();
  const { canAccess } = useCanAccess({ resource: 'users', action: 'edit' });
  const { items, error, more } = usePages(keyOf(user.id), (cursor) =>
    client.call('listSessions', { params: { id: user.id }, query: { limit: 50, cursor } }),
  );
  if (error) return <Failure error={error} />;
  if (!items) return null;
  const columns = ['how', 'since', 'last_used', 'address', 'program'].map((one) =>
    translate(`verbatim.session.${one}`),
  );
  return (
    <>
      {canAccess && items.length > 0 && <SignOutEverywhere user={user} />}
      <PlainTable
        label={translate('verbatim.person.sessions')}
        columns={canAccess ? [...columns, translate('verbatim.actions')] : columns}
        empty={translate('verbatim.session.none')}
      >
        {items.map((session) => (
          <SessionRow key={session.id} user={user} session={session} mayEnd={canAccess === true} />
        ))}
      </PlainTable>
      <MoreButton more={more} />
    </>
  );
}

function SessionRow({ user, session, mayEnd }: { user: User; session: LiveSession; mayEnd: boolean }) {
  const translate = useTranslate();
  const moment = useMoment();
  const { how, createdAt, lastUsedAt, address, userAgent, current } = session;
  return (
    <TableRow>
      <TableCell>
        {translate(`verbatim.how.${how}`)}
        {current && <Chip size="small" label={translate('verbatim.session.yours')} sx={{ ml: 1 }} />}
      </TableCell>
      <TableCell>{moment(createdAt)}</TableCell>
      <TableCell>{moment(lastUsedAt)}</TableCell>
      <TableCell>{address ?? '–'}</TableCell>
      <TableCell sx={{ overflowWrap: 'anywhere', minWidth: 160 }}>{userAgent ?? '–'}</TableCell>
      {mayEnd && (
        <TableCell>{!current && <EndSession userId={user.id} name={nameOf(user)} session={session} />}</TableCell>
      )}
    </TableRow>
  );
}

function SignOutEverywhere({ user }: { user: User }) {
  const translate = useTranslate();
  const notify = useNotify();
  const name = nameOf(user);
  return (
    <Box sx={{ mb: 1 }}>
      <ConfirmedButton
        label="verbatim.users.sign_out"
        icon={<LogoutIcon />}
        title={translate('verbatim.session.all_title', { name })}
        text={translate('verbatim.users.sign_out_text')}
        takesAway
        perform={(options) => client.call('endSessions', { params: { id: user.id } }, options)}
        onDone={() => notify('verbatim.session.all_ended', { type: 'success', messageArgs: { name } })}
      />
    </Box>
  );
}
