import { Typography } from '@mui/material';
import { List, TopToolbar, useTranslate } from 'react-admin';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { InvitationTable } from './invitation-table';
import { Invite } from './invite';

/** The invitations to make an account here. */
export default function InvitationList() {
  const translate = useTranslate();
  return (
    <List
      actions={
        <TopToolbar>
          <Invite />
        </TopToolbar>
      }
      empty={false}
      perPage={25}
      exporter={false}
      queryOptions={liveList}
    >
      <Typography color="textSecondary" sx={{ p: 2 }}>
        {translate('verbatim.invitations.lead')}
      </Typography>
      <Still>
        <InvitationTable />
      </Still>
    </List>
  );
}
