import EraseIcon from '@mui/icons-material/AutoDelete';
import { Menu, MenuItem } from '@mui/material';
import type { Room, User } from '@verbatim/protocol';
import { useState } from 'react';
import { Button, useCanAccess, useRecordContext, useTranslate } from 'react-admin';
import { client } from '../service/client';
import { nameOf } from '../users/name-of';
import { EraseDialog, type ToErase } from './erase-dialog';

/** Forgets a person. Nobody erases themselves here. */
export function ErasePersonButton({ user }: { user: User }) {
  const [asking, setAsking] = useState(false);
  const { canAccess } = useCanAccess({ resource: 'erasures', action: 'create' });
  if (!canAccess || user.id === client.user?.id) return null;
  const { id: person, username } = user;
  return (
    <>
      <Button label="verbatim.erasures.erase_person" color="error" onClick={() => setAsking(true)}>
        <EraseIcon />
      </Button>
      {asking && (
        <EraseDialog of={{ kind: 'person', person, username, name: nameOf(user) }} onEnd={() => setAsking(false)} />
      )}
    </>
  );
}

/** Forgets the room of the page, or days of it. A direct room cannot be closed, so only days of it can be erased. */
export function EraseRoomButton() {
  const room = useRecordContext<Room>();
  const translate = useTranslate();
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const [of, setOf] = useState<ToErase | null>(null);
  const { canAccess } = useCanAccess({ resource: 'erasures', action: 'create' });
  if (!room || !canAccess) return null;
  const choose = (kind: 'room' | 'days') => () => {
    setAnchor(null);
    setOf({ kind, room: room.id, name: room.name ?? '' });
  };
  return (
    <>
      <Button
        label="verbatim.erasures.erase_room"
        color="error"
        aria-haspopup="menu"
        aria-expanded={anchor !== null}
        onClick={({ currentTarget }) => setAnchor(currentTarget)}
      >
        <EraseIcon />
      </Button>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {room.visibility !== 'direct' && (
          <MenuItem onClick={choose('room')}>{translate('verbatim.erasures.whole_room')}</MenuItem>
        )}
        <MenuItem onClick={choose('days')}>{translate('verbatim.erasures.days_of_room')}</MenuItem>
      </Menu>
      {of && <EraseDialog of={of} onEnd={() => setOf(null)} />}
    </>
  );
}
