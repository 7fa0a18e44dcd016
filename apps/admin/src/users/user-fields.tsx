import { Chip } from '@mui/material';
import type { User } from '@verbatim/protocol';
import { useTranslate } from 'react-admin';

export const roles = ['user', 'auditor', 'admin'] as const;
export const roleChoices = roles.map((id) => ({ id, name: `verbatim.role.${id}` }));
export const statusChoices = (['active', 'suspended'] as const).map((id) => ({
  id,
  name: `verbatim.user_status.${id}`,
}));

export function RoleOf({ user }: { user: User }) {
  const translate = useTranslate();
  return (
    <Chip
      size="small"
      variant={user.role === 'user' ? 'outlined' : 'filled'}
      color={user.role === 'user' ? 'default' : 'primary'}
      label={translate(`verbatim.role.${user.role}`)}
    />
  );
}

export function StatusOf({ user }: { user: User }) {
  const translate = useTranslate();
  const status = user.suspended ? 'suspended' : 'active';
  return (
    <Chip
      size="small"
      variant="outlined"
      color={user.suspended ? 'error' : 'success'}
      label={translate(`verbatim.user_status.${status}`)}
    />
  );
}
