import { Chip, type Theme, Typography, useMediaQuery } from '@mui/material';
import type { OwnedSession } from '@verbatim/protocol';
import { DataTable, List, SimpleList, TopToolbar, useCanAccess, useTranslate } from 'react-admin';
import { Moment } from '../look/moment';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { byPerson, PersonLink } from '../users/by-person';
import { EndSession } from './end-session';

const filters = [byPerson];

const Column = DataTable.Col<OwnedSession>;

/** All sessions, newest first. Administrators can end them. */
export default function SessionList() {
  const translate = useTranslate();
  return (
    <List
      filters={filters}
      actions={<TopToolbar />}
      empty={false}
      perPage={25}
      exporter={false}
      queryOptions={liveList}
    >
      <Typography color="textSecondary" sx={{ p: 2 }}>
        {translate('verbatim.session.lead')}
      </Typography>
      <Still>
        <Sessions />
      </Still>
    </List>
  );
}

function Sessions() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  const { canAccess: mayEnd } = useCanAccess({ resource: 'sessions', action: 'edit' });
  if (narrow) {
    return (
      <SimpleList<OwnedSession>
        primaryText={({ user }) => <PersonLink person={user} tab="sessions" />}
        secondaryText={(session) => (
          <>
            <How session={session} />, <Moment at={session.createdAt} />
          </>
        )}
        tertiaryText={(session) => mayEnd && <End session={session} />}
        rowClick={false}
        empty={<Nothing />}
        sx={{ '& .RaSimpleList-tertiary': { opacity: 1 } }}
      />
    );
  }
  return (
    <DataTable<OwnedSession> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column source="user" disableSort render={({ user }) => <PersonLink person={user} tab="sessions" />} />
      <Column source="how" disableSort render={(session) => <How session={session} />} sx={{ whiteSpace: 'nowrap' }} />
      <Column source="createdAt" disableSort render={({ createdAt }) => <Moment at={createdAt} />} />
      <Column source="lastUsedAt" disableSort render={({ lastUsedAt }) => <Moment at={lastUsedAt} />} />
      <Column source="address" disableSort render={({ address }) => address ?? '–'} />
      <Column
        source="userAgent"
        disableSort
        render={({ userAgent }) => userAgent ?? '–'}
        sx={{ overflowWrap: 'anywhere', minWidth: 160 }}
      />
      {mayEnd && <Column source="id" label="verbatim.actions" disableSort render={(one) => <End session={one} />} />}
    </DataTable>
  );
}

function How({ session: { how, current } }: { session: OwnedSession }) {
  const translate = useTranslate();
  return (
    <>
      {translate(`verbatim.how.${how}`)}
      {current && <Chip component="span" size="small" label={translate('verbatim.session.yours')} sx={{ ml: 1 }} />}
    </>
  );
}

/** One's own session is ended by signing out. */
function End({ session }: { session: OwnedSession }) {
  const { user, current } = session;
  return current ? null : <EndSession userId={user.id} name={user.username} session={session} />;
}

function Nothing() {
  const translate = useTranslate();
  return (
    <Typography color="textSecondary" sx={{ p: 4, textAlign: 'center' }}>
      {translate('verbatim.session.none_here')}
    </Typography>
  );
}
