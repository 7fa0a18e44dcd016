import { Alert, Stack } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { useState } from 'react';
import {
  Form,
  maxLength,
  maxValue,
  minValue,
  NumberInput,
  required,
  SaveButton,
  TextInput,
  useCanAccess,
  useNotify,
  useRecordContext,
  useTranslate,
  useUpdate,
} from 'react-admin';
import { AskBeforeLeaving } from '../look/unsaved';
import { OverviewTab } from './overview-tab';
import { HistoryInput, VisibilityInput } from './room-inputs';

type Settings = Pick<Room, 'id' | 'name' | 'topic' | 'visibility' | 'history' | 'slowModeSeconds'>;

const settingsOf = ({ id, name, topic, visibility, history, slowModeSeconds }: Room): Settings => ({
  id,
  name,
  topic,
  visibility,
  history,
  slowModeSeconds,
});

/** The settings of an open room; read-only for people who may not change them. */
export function SettingsTab() {
  const room = useRecordContext<Room>();
  const translate = useTranslate();
  const { canAccess, isPending } = useCanAccess({ resource: 'rooms', action: 'edit' });
  if (!room || isPending) return null;
  if (room.visibility === 'direct') return <Alert severity="info">{translate('verbatim.rooms.direct_settings')}</Alert>;
  return canAccess && room.status === 'open' ? <SettingsForm key={room.id} room={room} /> : <OverviewTab />;
}

function SettingsForm({ room }: { room: Room }) {
  const notify = useNotify();
  const [update, { isPending }] = useUpdate<Room>();
  // Changes by others must not overwrite what is being typed, so the form keeps its initial values.
  const [begun, setBegun] = useState(settingsOf(room));
  const save = async (values: Settings) => {
    const { name, topic, visibility, history, slowModeSeconds } = values;
    try {
      const data = { name, topic: topic ?? '', visibility, history, slowModeSeconds: slowModeSeconds ?? 0 };
      await update('rooms', { id: room.id, data, previousData: room }, { returnPromise: true });
      setBegun({ ...begun, ...data });
      notify('verbatim.rooms.saved', { type: 'success' });
    } catch (error) {
      const { message, body } = error as Error & { body?: { errors?: Record<string, string> } };
      if (body?.errors) return body.errors;
      notify(message, { type: 'error' });
    }
  };
  return (
    <Form onSubmit={(values: object) => save(values as Settings)} record={begun}>
      <AskBeforeLeaving />
      <Stack sx={{ maxWidth: 560, alignItems: 'start' }}>
        <TextInput source="name" validate={[required(), maxLength(80)]} fullWidth />
        <TextInput source="topic" validate={maxLength(500)} multiline fullWidth />
        <VisibilityInput />
        <HistoryInput />
        <NumberInput
          source="slowModeSeconds"
          min={0}
          max={3_600}
          validate={[minValue(0), maxValue(3_600)]}
          helperText="verbatim.rooms.slow_mode_help"
        />
        <SaveButton disabled={isPending} alwaysEnable />
      </Stack>
    </Form>
  );
}
