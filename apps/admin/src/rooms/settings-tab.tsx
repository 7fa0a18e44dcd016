import { Alert, Stack } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import {
  Form,
  maxLength,
  required,
  SaveButton,
  TextInput,
  useCanAccess,
  useNotify,
  useRecordContext,
  useTranslate,
  useUpdate,
} from 'react-admin';
import { OverviewTab } from './overview-tab';
import { HistoryInput, VisibilityInput } from './room-inputs';

type Settings = Pick<Room, 'name' | 'topic' | 'visibility' | 'history'>;

/** What can be changed of an open room. Who may not change it sees it. */
export function SettingsTab() {
  const room = useRecordContext<Room>();
  const translate = useTranslate();
  const { canAccess, isPending } = useCanAccess({ resource: 'rooms', action: 'edit' });
  if (!room || isPending) return null;
  if (room.visibility === 'direct') return <Alert severity="info">{translate('verbatim.rooms.direct_settings')}</Alert>;
  return canAccess && room.status === 'open' ? <SettingsForm room={room} /> : <OverviewTab />;
}

function SettingsForm({ room }: { room: Room }) {
  const notify = useNotify();
  const [update, { isPending }] = useUpdate<Room>();
  const save = async (values: Partial<Settings>) => {
    const { name, topic, visibility, history } = values;
    try {
      const data = { name, topic: topic ?? '', visibility, history };
      await update('rooms', { id: room.id, data, previousData: room }, { returnPromise: true });
      notify('verbatim.rooms.saved', { type: 'success' });
    } catch (error) {
      const { message, body } = error as Error & { body?: { errors?: Record<string, string> } };
      if (body?.errors) return body.errors;
      notify(message, { type: 'error' });
    }
  };
  // What others change meanwhile must not change what is being typed, so the record is taken as it was at first.
  return (
    <Form onSubmit={save} record={room} key={room.id}>
      <Stack sx={{ maxWidth: 560, alignItems: 'start' }}>
        <TextInput source="name" validate={[required(), maxLength(80)]} fullWidth />
        <TextInput source="topic" validate={maxLength(500)} multiline fullWidth />
        <VisibilityInput />
        <HistoryInput />
        <SaveButton disabled={isPending} alwaysEnable />
      </Stack>
    </Form>
  );
}
