import { Card, CardActions, CardContent, Chip, Stack, type Theme, Typography, useMediaQuery } from '@mui/material';
import type { Invitation } from '@verbatim/protocol';
import { DataTable, ReferenceField, useCanAccess, useListContext, useTranslate } from 'react-admin';
import { Fact, Facts } from '../look/facts';
import { Moment } from '../look/moment';
import { Revoke } from './revoke';
import { standingOf } from './standing';
import { Uses } from './uses';

const Column = DataTable.Col<Invitation>;

/** The invitations of the list around it: a table, on a phone a card for each. */
export function InvitationTable() {
  const translate = useTranslate();
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  if (narrow) return <Cards />;
  return (
    <DataTable<Invitation> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column source="createdAt" disableSort render={({ createdAt }) => <Moment at={createdAt} />} />
      <Column source="status" disableSort render={(invitation) => <StandingOf invitation={invitation} />} />
      <Column source="used" disableSort render={(invitation) => usesOf(invitation, translate)} />
      <Column source="expiresAt" disableSort render={({ expiresAt }) => <Moment at={expiresAt} />} />
      <Column source="createdBy" disableSort>
        <ReferenceField source="createdBy" reference="users" link="show" />
      </Column>
      <Column label={false} render={(invitation) => <Deeds invitation={invitation} />} />
    </DataTable>
  );
}

function Cards() {
  const translate = useTranslate();
  const { data } = useListContext<Invitation>();
  if (data?.length === 0) return <Nothing />;
  return (
    <Stack component="ul" spacing={2} sx={{ listStyle: 'none', m: 0, p: 1 }}>
      {data?.map((invitation) => (
        <Card key={invitation.id} component="li">
          <CardContent>
            <StandingOf invitation={invitation} />
            <Facts>
              <Fact label="resources.invitations.fields.used">{usesOf(invitation, translate)}</Fact>
              <Fact label="resources.invitations.fields.expiresAt">
                <Moment at={invitation.expiresAt} />
              </Fact>
              <Fact label="resources.invitations.fields.createdBy">
                <ReferenceField record={invitation} source="createdBy" reference="users" link="show" />{' '}
                <Moment at={invitation.createdAt} color="textSecondary" />
              </Fact>
            </Facts>
          </CardContent>
          <CardActions>
            <Deeds invitation={invitation} />
          </CardActions>
        </Card>
      ))}
    </Stack>
  );
}

function Deeds({ invitation }: { invitation: Invitation }) {
  const { canAccess } = useCanAccess({ resource: 'invitations', action: 'edit' });
  return (
    <>
      <Uses invitation={invitation} />
      {canAccess && standingOf(invitation) === 'good' && <Revoke invitation={invitation} />}
    </>
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
