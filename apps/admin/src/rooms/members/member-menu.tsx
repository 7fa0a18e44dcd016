import MoreIcon from '@mui/icons-material/MoreVert';
import { IconButton, Menu, MenuItem, Tooltip } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { useId, useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { OwnClicks } from '../../look/own-clicks';
import { useAction } from '../../look/use-action';
import { client } from '../../service/client';
import { nameOf } from '../../users/name-of';
import { BanDialog, MuteDialog } from './ban-dialog';
import { HandOverDialog } from './hand-over';
import type { MemberRecord } from './members-source';

/** Further actions for a member. */
export function MemberMenu({ room, member }: { room: Room; member: MemberRecord }) {
  const translate = useTranslate();
  const id = useId();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [asking, setAsking] = useState<'ban' | 'mute' | 'hand over' | null>(null);
  const unmute = useUnmute(room, member);
  const person = { id: member.userId, name: nameOf(member) };
  const label = translate('verbatim.restraints.more', { name: person.name });
  const chosen = (then: () => void) => () => {
    setAnchor(null);
    then();
  };
  const end = () => setAsking(null);
  return (
    <OwnClicks>
      <Tooltip title={label}>
        <IconButton
          size="small"
          id={id}
          aria-label={label}
          aria-haspopup="menu"
          aria-expanded={anchor !== null}
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          <MoreIcon fontSize="small" />
        </IconButton>
      </Tooltip>
      <Menu
        anchorEl={anchor}
        open={anchor !== null}
        onClose={() => setAnchor(null)}
        slotProps={{ list: { 'aria-labelledby': id } }}
      >
        <MenuItem onClick={chosen(() => setAsking('mute'))}>{translate('verbatim.restraints.mute')} …</MenuItem>
        {isMuted(member) && <MenuItem onClick={chosen(unmute)}>{translate('verbatim.restraints.unmute')}</MenuItem>}
        <MenuItem onClick={chosen(() => setAsking('ban'))}>{translate('verbatim.restraints.ban')} …</MenuItem>
        {room.status === 'open' && member.role !== 'owner' && (
          <MenuItem onClick={chosen(() => setAsking('hand over'))}>
            {translate('verbatim.restraints.hand_over')} …
          </MenuItem>
        )}
      </Menu>
      {asking === 'mute' && <MuteDialog room={room.id} person={person} onEnd={end} />}
      {asking === 'ban' && <BanDialog room={room.id} person={person} onEnd={end} />}
      {asking === 'hand over' && <HandOverDialog room={room} to={person} onEnd={end} />}
    </OwnClicks>
  );
}

export const isMuted = ({ mutedUntil }: Pick<MemberRecord, 'mutedUntil'>): boolean =>
  mutedUntil !== null && Date.parse(mutedUntil) > Date.now();

/** Lifting a mute is undone by muting again, so nothing is asked. */
function useUnmute(room: Room, member: MemberRecord): () => void {
  const notify = useNotify();
  const { act } = useAction(
    (options) => client.call('unmute', { params: { id: room.id, userId: member.userId } }, options),
    () => notify('verbatim.restraints.unmute_done', { messageArgs: { name: nameOf(member) } }),
    'notify failures',
  );
  return () => act();
}
