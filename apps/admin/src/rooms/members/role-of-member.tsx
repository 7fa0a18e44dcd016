import { MenuItem, Select } from '@mui/material';
import type { Member } from '@verbatim/protocol';
import { useNotify, useTranslate, useUpdate } from 'react-admin';
import { nameOf } from '../../users/name-of';
import type { MemberRecord } from './members-source';

export const roomRoles = ['owner', 'moderator', 'member', 'guest'] as const satisfies readonly Member['role'][];

/** The role of a member, to be changed by those who may. */
export function RoleOfMember({ member, mayChange }: { member: MemberRecord; mayChange: boolean }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [update, { isPending }] = useUpdate<MemberRecord>();
  const name = nameOf(member);
  if (!mayChange) return translate(`verbatim.room_role.${member.role}`);

  const change = (role: Member['role']) =>
    update(
      'members',
      { id: member.id, data: { role }, previousData: member },
      {
        onSuccess: () =>
          notify('verbatim.rooms.role_changed', {
            messageArgs: { name, role: translate(`verbatim.room_role.${role}`) },
          }),
        onError: (error) => notify((error as Error).message, { type: 'error' }),
      },
    );
  return (
    <Select
      size="small"
      variant="standard"
      value={member.role}
      disabled={isPending}
      onClick={(event) => event.stopPropagation()}
      onChange={({ target }) => change(target.value as Member['role'])}
      slotProps={{ input: { 'aria-label': translate('verbatim.rooms.role_of', { name }) } }}
    >
      {roomRoles.map((role) => (
        <MenuItem key={role} value={role}>
          {translate(`verbatim.room_role.${role}`)}
        </MenuItem>
      ))}
    </Select>
  );
}
