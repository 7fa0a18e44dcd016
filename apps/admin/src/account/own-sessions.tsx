import LogoutIcon from '@mui/icons-material/Logout';
import { Box, Chip, TableCell, TableRow } from '@mui/material';
import type { LiveSession } from '@verbatim/protocol';
import { useNotify, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../look/confirmed-button';
import { Failure } from '../look/failure';
import { Moment } from '../look/moment';
import { PlainTable } from '../look/plain-table';
import { client } from '../service/client';
import { MoreButton } from '../users/person/more-button';
import { usePages } from '../users/person/use-pages';
import { useMoment } from '../words/region';

/** Where one is signed in oneself. */
export function OwnSessions() {
  const translate = useTranslate();
  const notify = useNotify();
  const { items, error, more } = usePages(['my sessions'], (cursor) =>
    client.call('listMySessions', { query: { limit: 50, cursor } }),
  );
  if (error) return <Failure error={error} />;
  if (!items) return null;
  const columns = ['how', 'since', 'last_used', 'address', 'program'].map((one) =>
    translate(`verbatim.session.${one}`),
  );
  return (
    <>
      {items.length > 1 && (
        <Box sx={{ mb: 1 }}>
          <ConfirmedButton
            label="verbatim.own.end_others"
            icon={<LogoutIcon />}
            title={translate('verbatim.own.end_others_title')}
            text={translate('verbatim.own.end_others_text')}
            takesAway
            perform={(options) => client.call('endMyOtherSessions', {}, options)}
            onDone={() => notify('verbatim.own.others_ended', { type: 'success' })}
          />
        </Box>
      )}
      <PlainTable
        label={translate('verbatim.person.sessions')}
        columns={[...columns, translate('verbatim.actions')]}
        empty={translate('verbatim.session.none')}
      >
        {items.map((session) => (
          <SessionRow key={session.id} session={session} />
        ))}
      </PlainTable>
      <MoreButton more={more} />
    </>
  );
}

function SessionRow({ session }: { session: LiveSession }) {
  const translate = useTranslate();
  const notify = useNotify();
  const moment = useMoment();
  const { id, how, createdAt, lastUsedAt, address, userAgent, current } = session;
  const since = moment(createdAt);
  return (
    <TableRow>
      <TableCell>
        {translate(`verbatim.how.${how}`)}
        {current && <Chip size="small" label={translate('verbatim.session.yours')} sx={{ ml: 1 }} />}
      </TableCell>
      <TableCell>
        <Moment at={createdAt} />
      </TableCell>
      <TableCell>
        <Moment at={lastUsedAt} />
      </TableCell>
      <TableCell>{address ?? '–'}</TableCell>
      <TableCell sx={{ overflowWrap: 'anywhere', minWidth: 160 }}>{userAgent ?? '–'}</TableCell>
      <TableCell>
        {!current && (
          <ConfirmedButton
            label="verbatim.session.end"
            name={translate('verbatim.own.end_since', { since })}
            icon={<LogoutIcon />}
            title={translate('verbatim.own.end_title', { since })}
            text={translate('verbatim.session.end_text')}
            takesAway
            perform={(options) => client.call('endMySession', { params: { id } }, options)}
            onDone={() => notify('verbatim.session.ended', { type: 'success' })}
          />
        )}
      </TableCell>
    </TableRow>
  );
}
