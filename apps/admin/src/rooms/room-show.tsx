import { Alert } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import {
  ReferenceField,
  Show,
  TabbedShowLayout,
  TabbedShowLayoutTabs,
  TopToolbar,
  useRecordContext,
  useTranslate,
} from 'react-admin';
import { EraseRoomButton } from '../erasures/erase-button';
import { PlaceHoldButton } from '../holds/place-hold';
import { Found } from '../look/found';
import { Moment } from '../look/moment';
import { liveRecord } from '../service/queries';
import { CloseRoomButton } from './close-room';
import { EventsTab } from './events/events-tab';
import { InvitationsTab } from './invitations-tab';
import { MembersTab } from './members/members-tab';
import { MessagesTab } from './messages/messages-tab';
import { OverviewTab } from './overview-tab';
import { PlayerTab } from './player/player-tab';
import { Reading } from './reading';
import { SettingsTab } from './settings-tab';
import { WebhooksTab } from './webhooks/webhooks-tab';

export default function RoomShow() {
  return (
    <Show actions={<Actions />} queryOptions={liveRecord}>
      <Found missing="verbatim.page.no_room">
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
          <TabbedShowLayout.Tab label="verbatim.player.tab" path="replay">
            <Reading>
              <PlayerTab />
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
      </Found>
    </Show>
  );
}

function Actions() {
  return (
    <TopToolbar sx={{ flexWrap: 'wrap' }}>
      <HoldRoomButton />
      <EraseRoomButton />
      <CloseRoomButton />
    </TopToolbar>
  );
}

function HoldRoomButton() {
  const room = useRecordContext<Room>();
  return room ? <PlaceHoldButton room={room} /> : null;
}

/** Who closed the room, when and why. */
function ClosedNote() {
  const room = useRecordContext<Room>();
  const translate = useTranslate();
  if (room?.status !== 'closed') return null;
  const { closing } = room;
  return (
    <Alert severity="info" sx={{ m: 2, mb: 0, overflowWrap: 'anywhere' }}>
      {translate('verbatim.rooms.is_closed')}
      {closing && (
        <>
          {' '}
          {translate('verbatim.rooms.closed_by')}{' '}
          {closing.by ? (
            <ReferenceField record={closing} source="by" reference="users" link="show" />
          ) : (
            translate('verbatim.talk.service')
          )}
          , <Moment at={closing.at} />.{' '}
          {closing.reason ? (
            <>
              {translate('verbatim.rooms.reason')}: <bdi>{closing.reason}</bdi>
            </>
          ) : (
            translate('verbatim.users.no_reason')
          )}
        </>
      )}
    </Alert>
  );
}
