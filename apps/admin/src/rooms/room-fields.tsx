import LockIcon from '@mui/icons-material/LockOutlined';
import PublicIcon from '@mui/icons-material/Public';
import DirectIcon from '@mui/icons-material/SwapHoriz';
import HiddenIcon from '@mui/icons-material/VisibilityOffOutlined';
import { Chip } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { useTranslate } from 'react-admin';

const icons = { public: PublicIcon, private: LockIcon, hidden: HiddenIcon, direct: DirectIcon };

export const settableVisibilities = ['public', 'private', 'hidden'] as const;
export const statusChoices = (['open', 'closed'] as const).map((id) => ({ id, name: `verbatim.room_status.${id}` }));
export const historyChoices = (['full', 'joined'] as const).map((id) => ({ id, name: `verbatim.history.${id}` }));
export const visibilityChoices = settableVisibilities.map((id) => ({ id, name: `verbatim.visibility.${id}` }));
export const visibilityFilters = [...visibilityChoices, { id: 'direct', name: 'verbatim.visibility.direct' }];

export function VisibilityOf({ room }: { room: Room }) {
  const translate = useTranslate();
  const Icon = icons[room.visibility];
  return (
    <Chip size="small" variant="outlined" icon={<Icon />} label={translate(`verbatim.visibility.${room.visibility}`)} />
  );
}

export function StatusOf({ room }: { room: Room }) {
  const translate = useTranslate();
  return (
    <Chip
      size="small"
      variant="outlined"
      color={room.status === 'open' ? 'success' : 'default'}
      label={translate(`verbatim.room_status.${room.status}`)}
    />
  );
}
