import { Chip } from '@mui/material';
import { email, type User } from '@verbatim/protocol';
import { useTranslate } from 'react-admin';
import { Hidden } from '../look/hidden';

export const roles = ['user', 'auditor', 'admin'] as const;
export const roleChoices = roles.map((id) => ({ id, name: `verbatim.role.${id}` }));
export const statusChoices = (['active', 'suspended', 'deactivated'] as const).map((id) => ({
  id,
  name: `verbatim.user_status.${id}`,
}));
/** Choices of filters that go by yes and no, as the query of the API has them. */
export const botChoices = [
  { id: 'false', name: 'verbatim.kind.people' },
  { id: 'true', name: 'verbatim.kind.bots' },
];
export const secondFactorChoices = [
  { id: 'true', name: 'verbatim.second_factor.with' },
  { id: 'false', name: 'verbatim.second_factor.without' },
];

/** An address as the API takes it, or none. */
export const validEmail = (address?: string | null): string | undefined =>
  !address || email.safeParse(address).success ? undefined : 'ra.validation.email';

export function RoleOf({ user }: { user: User }) {
  const translate = useTranslate();
  return (
    <Chip
      size="small"
      variant={user.role === 'user' ? 'outlined' : 'filled'}
      color={user.role === 'user' ? 'default' : 'primary'}
      label={translate(
        user.bot ? 'verbatim.kind.bot' : user.guest ? 'verbatim.kind.guest' : `verbatim.role.${user.role}`,
      )}
    />
  );
}

/** Auditors see that there is an address to be seen, and not by them. */
export function EmailOf({ user: { email } }: { user: User }) {
  return email === undefined ? <Hidden /> : (email ?? '–');
}

const colours = { active: 'success', suspended: 'error', deactivated: 'default' } as const;

export function StatusOf({ user }: { user: User }) {
  const translate = useTranslate();
  return (
    <Chip
      size="small"
      variant="outlined"
      color={colours[user.status]}
      label={translate(`verbatim.user_status.${user.status}`)}
    />
  );
}
