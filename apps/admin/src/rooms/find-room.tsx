import { Autocomplete, TextField } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { useState } from 'react';
import { useGetList, useTranslate } from 'react-admin';
import { untilAnswered } from '../service/queries';
import { nameOfRoom } from './name-of-room';

interface FindRoomProps {
  readonly room: Room | null;
  /** Key of the field's label. */
  readonly label: string;
  onFound(room: Room | null): void;
}

/** A field that finds rooms by their names. */
export function FindRoom({ room, label, onFound }: FindRoomProps) {
  const translate = useTranslate();
  const [q, setQ] = useState('');
  const { data = [], isFetching } = useGetList<Room>(
    'rooms',
    {
      filter: { q: q.trim() || undefined },
      pagination: { page: 1, perPage: 10 },
      sort: { field: 'activeAt', order: 'DESC' },
    },
    untilAnswered,
  );
  return (
    <Autocomplete
      size="small"
      sx={{ flex: 1 }}
      options={data}
      loading={isFetching}
      value={room}
      filterOptions={(found) => found}
      isOptionEqualToValue={(a, b) => a.id === b.id}
      getOptionKey={({ id }) => id}
      getOptionLabel={nameOfRoom}
      noOptionsText={translate('verbatim.subject.no_room')}
      onInputChange={(_, text, why) => why === 'input' && setQ(text)}
      onChange={(_, found) => onFound(found)}
      renderInput={(params) => <TextField {...params} label={translate(label)} />}
    />
  );
}
