import type { Room } from '@verbatim/protocol';
import { FunctionField, NumberField, ReferenceField, SimpleShowLayout, TextField, useTranslate } from 'react-admin';
import { MomentField } from '../look/moment';
import { StatusOf, VisibilityOf } from './room-fields';

export function OverviewTab() {
  const translate = useTranslate();
  return (
    <SimpleShowLayout sx={{ p: 0 }}>
      <TextField source="topic" emptyText="–" />
      <FunctionField<Room> source="visibility" render={(room) => <VisibilityOf room={room} />} />
      <FunctionField<Room> source="status" render={(room) => <StatusOf room={room} />} />
      <FunctionField<Room> source="history" render={(room) => translate(`verbatim.history.${room.history}`)} />
      <FunctionField<Room>
        source="hasPassword"
        render={(room) => translate(room.hasPassword ? 'verbatim.rooms.has_password' : 'verbatim.rooms.no_password')}
      />
      <NumberField source="slowModeSeconds" textAlign="left" />
      <NumberField source="memberCount" textAlign="left" />
      <NumberField source="messageCount" textAlign="left" />
      <MomentField source="activeAt" />
      <MomentField source="createdAt" />
      <ReferenceField source="createdBy" reference="users" link="show" emptyText="–" />
      <NumberField source="revision" textAlign="left" />
      <TextField source="id" sx={{ fontFamily: 'monospace', overflowWrap: 'anywhere' }} />
    </SimpleShowLayout>
  );
}
