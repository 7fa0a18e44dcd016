import { Chip, Typography } from '@mui/material';
import type { Invitation } from '@verbatim/protocol';
import { DataTable, ReferenceField, useCanAccess, useTranslate } from 'react-admin';
import { Moment } from '../look/moment';
import { Revoke } from './revoke';
import { standingOf } from './standing';
import { Uses } from './uses';

const Column = DataTable.Col<Invitation>;

/** The invitations of the list around it. */
export function InvitationTable() {
  const translate = useTranslate();
  const { canAccess } = useCanAccess({ resource: 'invitations', action: 'edit' });
  return (
    <DataTable<Invitation> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column source="createdAt" disableSort render={({ createdAt }) => <Moment at={createdAt} />} />
      <Column source="status" disableSort render={(invitation) => <StandingOf invitation={invitation} />} />
      <Column source="used" disableSort render={(invitation) => usesOf(invitation, translate)} />
      <Column source="expiresAt" disableSort render={({ expiresAt }) => <Moment at={expiresAt} />} />
      <Column source="createdBy" disableSort>
        <ReferenceField source="createdBy" reference="users" link="show" />
      </Column>
      <Column
        label={false}
        render={(invitation) => (
          <>
            <Uses invitation={invitation} />
            {canAccess && standingOf(invitation) === 'good' && <Revoke invitation={invitation} />}
          </>
        )}
      />
    </DataTable>
  );
}

function StandingOf({ invitation }: { invitation: Invitation }) {
  const translate = useTranslate();
  const standing = standingOf(invitation);
  return (
    <Chip
      size="small"
      variant="outlined"
      color={standing === 'good' ? 'success' : 'default'}
      label={translate(`verbatim.invitation_standing.${standing}`)}
    />
  );
}

const usesOf = ({ uses, used }: Invitation, translate: ReturnType<typeof useTranslate>): string =>
  uses === null
    ? translate('verbatim.invitations.used_of_any', { used })
    : translate('verbatim.invitations.used_of', { used, uses });

function Nothing() {
  const translate = useTranslate();
  return (
    <Typography color="textSecondary" sx={{ p: 4, textAlign: 'center' }}>
      {translate('verbatim.invitations.none')}
    </Typography>
  );
}
