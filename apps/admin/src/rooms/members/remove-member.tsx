import RemoveIcon from '@mui/icons-material/PersonRemoveOutlined';
import { IconButton, Tooltip } from '@mui/material';
import { useState } from 'react';
import { Confirm, useDelete, useNotify, useRefresh, useTranslate } from 'react-admin';
import { OwnClicks } from '../../look/own-clicks';
import { nameOf } from '../../users/name-of';
import type { MemberRecord } from './members-source';

/** Removes a member from the room, once that is confirmed. */
export function RemoveMember({ member }: { member: MemberRecord }) {
  const translate = useTranslate();
  const notify = useNotify();
  const refresh = useRefresh();
  const [asking, setAsking] = useState(false);
  const [remove, { isPending }] = useDelete<MemberRecord>();
  const name = nameOf(member);
  const label = translate('verbatim.rooms.remove_member', { name });
  const confirmed = () =>
    remove(
      'members',
      { id: member.id, previousData: member },
      {
        onSuccess: () => {
          notify('verbatim.rooms.removed', { messageArgs: { name } });
          refresh();
        },
        onError: (error) => notify((error as Error).message, { type: 'error' }),
        onSettled: () => setAsking(false),
      },
    );
  return (
    <OwnClicks>
      <Tooltip title={label}>
        <IconButton size="small" aria-label={label} onClick={() => setAsking(true)}>
          <RemoveIcon fontSize="small" />
        </IconButton>
      </Tooltip>
      <Confirm
        isOpen={asking}
        loading={isPending}
        title={translate('verbatim.rooms.remove_title', { name })}
        content={translate('verbatim.rooms.remove_text')}
        confirm={translate('verbatim.rooms.remove')}
        cancel={translate('verbatim.cancel')}
        confirmColor="warning"
        onConfirm={confirmed}
        onClose={() => setAsking(false)}
      />
    </OwnClicks>
  );
}
