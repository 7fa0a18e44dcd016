import type { Room } from '@verbatim/protocol';
import { type ReactNode, useMemo, useState } from 'react';
import { useCanAccess, useRecordContext } from 'react-admin';
import { EraseDialog } from '../../erasures/erase-dialog';
import type { Said } from './conversation';
import { Find } from './find';
import { keepPlace, keptPlace } from './kept-place';
import type { MessageActs } from './message-menu';
import { Past } from './past';
import { ProveDialog } from './prove-dialog';
import { RedactDialog } from './redact-dialog';
import { Talk } from './talk';
import type { Place } from './use-past';

/** Live messages of the room and, by search or date, earlier ones. */
export function MessagesTab() {
  const room = useRecordContext<Room>();
  return room ? <Messages key={room.id} room={room.id} /> : null;
}

function Messages({ room }: { room: string }) {
  // Null: the present. Asking for the same place again scrolls there again.
  const [visit, setVisit] = useState<{ readonly place: Place; readonly nth: number } | null>(() => {
    const revision = keptPlace(room);
    return revision === null ? null : { place: { revision }, nth: 0 };
  });
  const back = () => {
    keepPlace(room, null);
    setVisit(null);
  };
  const { acts, dialog } = useActs(room);
  return (
    <>
      <Find room={room} onPlace={(place) => setVisit({ place, nth: (visit?.nth ?? 0) + 1 })} />
      {visit === null ? (
        <Talk room={room} acts={acts} />
      ) : (
        <Past key={visit.nth} room={room} place={visit.place} acts={acts} onBack={back} />
      )}
      {dialog}
    </>
  );
}

/** The permitted actions on messages, and the dialog of the current one. */
function useActs(room: string): { acts: MessageActs; dialog: ReactNode } {
  const { canAccess: mayRedact } = useCanAccess({ resource: 'rooms', action: 'redact' });
  const { canAccess: mayErase } = useCanAccess({ resource: 'erasures', action: 'create' });
  const [doing, setDoing] = useState<{ readonly what: 'prove' | 'redact' | 'erase'; readonly said: Said } | null>(null);
  const acts = useMemo(() => {
    const begin = (what: 'prove' | 'redact' | 'erase') => (said: Said) => setDoing({ what, said });
    return {
      prove: begin('prove'),
      ...(mayRedact && { redact: begin('redact') }),
      ...(mayErase && { erase: begin('erase') }),
    };
  }, [mayRedact, mayErase]);
  if (!doing) return { acts, dialog: null };
  const { what, said } = doing;
  const onEnd = () => setDoing(null);
  const name = said.author.displayName || said.author.username;
  const dialogs = {
    redact: <RedactDialog room={room} said={said} onEnd={onEnd} />,
    prove: <ProveDialog room={room} message={{ id: said.id, name, text: said.text }} onEnd={onEnd} />,
    erase: <EraseDialog of={{ kind: 'message', room, message: said.id, name }} onEnd={onEnd} />,
  };
  return { acts, dialog: dialogs[what] };
}
