import { Alert } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { Show, TabbedShowLayout, TabbedShowLayoutTabs, TopToolbar, useRecordContext, useTranslate } from 'react-admin';
import { LOOK_AGAIN } from '../service/look-again';
import { CloseRoomButton } from './close-room';
import { EventsTab } from './events/events-tab';
import { InvitationsTab } from './invitations-tab';
import { MembersTab } from './members/members-tab';
import { MessagesTab } from './messages/messages-tab';
import { OverviewTab } from './overview-tab';
import { Reading } from './reading';
import { SettingsTab } from './settings-tab';
import { WebhooksTab } from './webhooks/webhooks-tab';

export default function RoomShow() {
  return (
    <Show actions={<Actions />} queryOptions={{ refetchInterval: LOOK_AGAIN }}>
      <ClosedNote />
      <TabbedShowLayout tabs={<TabbedShowLayoutTabs variant="scrollable" scrollButtons={false} />}>
        <TabbedShowLayout.Tab label="verbatim.rooms.overview">
          <OverviewTab />
        </TabbedShowLayout.Tab>
        <TabbedShowLayout.Tab label="verbatim.rooms.messages" path="messages">
          <Reading>
            <MessagesTab />
          </Reading>
        </TabbedShowLayout.Tab>
        <TabbedShowLayout.Tab label="verbatim.rooms.members" path="members">
          <Reading>
            <MembersTab />
          </Reading>
        </TabbedShowLayout.Tab>
        <TabbedShowLayout.Tab label="verbatim.rooms.events" path="events">
          <Reading>
            <EventsTab />
          </Reading>
        </TabbedShowLayout.Tab>
        <TabbedShowLayout.Tab label="verbatim.rooms.invitations" path="invitations">
          <InvitationsTab />
        </TabbedShowLayout.Tab>
        <TabbedShowLayout.Tab label="verbatim.rooms.webhooks" path="webhooks">
          <WebhooksTab />
        </TabbedShowLayout.Tab>
        <TabbedShowLayout.Tab label="verbatim.rooms.settings" path="settings">
          <SettingsTab />
        </TabbedShowLayout.Tab>
      </TabbedShowLayout>
    </Show>
  );
}

function Actions() {
  return (
    <TopToolbar>
      <CloseRoomButton />
    </TopToolbar>
  );
}

function ClosedNote() {
  const room = useRecordContext<Room>();
  const translate = useTranslate();
  if (room?.status !== 'closed') return null;
  return (
    <Alert severity="info" sx={{ m: 2, mb: 0 }}>
      {translate('verbatim.rooms.is_closed')}
    </Alert>
  );
}
