import { Alert } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { User } from '@verbatim/protocol';
import { useRecordContext, useTranslate } from 'react-admin';
import { Moment } from '../look/moment';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { lastSuspension } from './person/last-suspension';

/** Who suspended the person, when and why, from the account's events. */
export function SuspendedNote() {
  const user = useRecordContext<User>();
  return user?.suspended ? <Note key={user.id} id={user.id} /> : null;
}

function Note({ id }: { id: string }) {
  const translate = useTranslate();
  const { data } = useQuery({
    queryKey: ['events of', id, 'suspension'],
    queryFn: () => shown(lastSuspension(client, id)),
  });
  return (
    <Alert severity="warning" sx={{ m: 2, mb: 0, overflowWrap: 'anywhere' }}>
      {translate('verbatim.users.is_suspended')}
      {data && (
        <>
          {' '}
          {translate('verbatim.users.suspended_by', { name: data.by ?? translate('verbatim.talk.service') })}{' '}
          <Moment at={data.at} />
          {data.reason ? (
            <>
              {'. '}
              {translate('verbatim.rooms.reason')}: <bdi>{data.reason}</bdi>
            </>
          ) : (
            `. ${translate('verbatim.users.no_reason')}`
          )}
        </>
      )}
    </Alert>
  );
}
