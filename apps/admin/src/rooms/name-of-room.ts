import type { Room } from '@verbatim/protocol';
import { useRecordContext, useTranslate } from 'react-admin';

/** What a room is called: direct rooms have no name, forgotten ones none any more. */
export function useNameOfRoom(): (room: Pick<Room, 'name' | 'visibility'>) => string {
  const translate = useTranslate();
  return ({ name, visibility }) =>
    name || translate(visibility === 'direct' ? 'verbatim.rooms.nameless' : 'verbatim.rooms.forgotten');
}

export function NameOfRoom({ room }: { room: Pick<Room, 'name' | 'visibility'> }) {
  return useNameOfRoom()(room);
}

/** Of the room that the page is about. */
export function NameOfThisRoom() {
  const room = useRecordContext<Room>();
  const name = useNameOfRoom();
  return room ? name(room) : null;
}
