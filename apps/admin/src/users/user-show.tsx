import type { User } from '@verbatim/protocol';
import { EditButton, Show, TabbedShowLayout, TabbedShowLayoutTabs, TopToolbar, useRecordContext } from 'react-admin';
import { Found } from '../look/found';
import { liveRecord } from '../service/queries';
import { EventsTab } from './person/events-tab';
import { ProfileTab } from './person/profile-tab';
import { RoomsTab } from './person/rooms-tab';
import { SessionsTab } from './person/sessions-tab';
import { TokensTab } from './person/tokens-tab';
import { StandingButton } from './standing';
import { SuspendedNote } from './suspended-note';

export default function UserShow() {
  return (
    <Show actions={<Actions />} queryOptions={liveRecord}>
      <Found missing="verbatim.page.no_user">
        <SuspendedNote />
        <Tabs />
      </Found>
    </Show>
  );
}

/** Bots have no sessions: they have tokens. */
function Tabs() {
  const bot = useRecordContext<User>()?.bot === true;
  return (
    <TabbedShowLayout tabs={<TabbedShowLayoutTabs variant="scrollable" scrollButtons={false} />}>
      <TabbedShowLayout.Tab label="verbatim.person.profile">
        <ProfileTab />
      </TabbedShowLayout.Tab>
      <TabbedShowLayout.Tab label="verbatim.person.rooms" path="rooms">
        <RoomsTab />
      </TabbedShowLayout.Tab>
      {!bot && (
        <TabbedShowLayout.Tab label="verbatim.person.sessions" path="sessions">
          <SessionsTab />
        </TabbedShowLayout.Tab>
      )}
      <TabbedShowLayout.Tab label="verbatim.person.tokens" path="tokens">
        <TokensTab />
      </TabbedShowLayout.Tab>
      <TabbedShowLayout.Tab label="verbatim.person.events" path="events">
        <EventsTab />
      </TabbedShowLayout.Tab>
    </TabbedShowLayout>
  );
}

function Actions() {
  return (
    <TopToolbar>
      <StandingButton />
      <EditButton />
    </TopToolbar>
  );
}
