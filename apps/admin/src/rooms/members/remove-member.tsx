import RemoveIcon from '@mui/icons-material/PersonRemoveOutlined';
import { IconButton, Tooltip } from '@mui/material';
import { useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { AskDialog } from '../../look/ask-dialog';
import { OwnClicks } from '../../look/own-clicks';
import { useAction } from '../../look/use-action';
import { client } from '../../service/client';
import { nameOf } from '../../users/name-of';
import type { MemberRecord } from './members-source';

/** Removes a member from the room, once that is confirmed. */
export function RemoveMember({ member }: { member: MemberRecord }) {
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  const label = translate('verbatim.rooms.remove_member', { name: nameOf(member) });
  return (
    <OwnClicks>
      <Tooltip title={label}>
        <IconButton size="small" aria-label={label} onClick={() => setAsking(true)}>
          <RemoveIcon fontSize="small" />
        </IconButton>
      </Tooltip>
      {asking && <RemoveDialog member={member} onEnd={() => setAsking(false)} />}
    </OwnClicks>
  );
}

function RemoveDialog({ member, onEnd }: { member: MemberRecord; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const { roomId, userId } = member;
  const name = nameOf(member);
  const { act, busy, error } = useAction(
    (options) => client.call('removeMember', { params: { id: roomId, userId } }, options),
    () => {
      notify('verbatim.rooms.removed', { messageArgs: { name } });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.rooms.remove_title', { name })}
      text={translate('verbatim.rooms.remove_text')}
      action={translate('verbatim.rooms.remove')}
      color="error"
      busy={busy}
      error={error}
      onSubmit={() => act()}
      onEnd={onEnd}
    />
  );
}
