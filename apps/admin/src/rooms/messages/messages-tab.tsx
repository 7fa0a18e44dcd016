import type { Room } from '@verbatim/protocol';
import { useCallback, useState } from 'react';
import { useCanAccess, useRecordContext } from 'react-admin';
import type { Said } from './conversation';
import { Find } from './find';
import { keepPlace, keptPlace } from './kept-place';
import { Past } from './past';
import { RedactDialog } from './redact-dialog';
import { Talk } from './talk';
import type { Place } from './use-past';

/** What is said in the room and, by way of searching or a date, what was said. */
export function MessagesTab() {
  const room = useRecordContext<Room>();
  return room ? <Messages key={room.id} room={room.id} /> : null;
}

function Messages({ room }: { room: string }) {
  const { canAccess } = useCanAccess({ resource: 'rooms', action: 'redact' });
  // Null: the present. Asking for the same place again scrolls there again.
  const [visit, setVisit] = useState<{ readonly place: Place; readonly nth: number } | null>(() => {
    const revision = keptPlace(room);
    return revision === null ? null : { place: { revision }, nth: 0 };
  });
  const back = () => {
    keepPlace(room, null);
    setVisit(null);
  };
  const [redacting, setRedacting] = useState<Said | null>(null);
  const redact = useCallback((said: Said) => setRedacting(said), []);
  const onRedact = canAccess ? redact : undefined;
  return (
    <>
      <Find room={room} onPlace={(place) => setVisit({ place, nth: (visit?.nth ?? 0) + 1 })} />
      {visit === null ? (
        <Talk room={room} onRedact={onRedact} />
      ) : (
        <Past key={visit.nth} room={room} place={visit.place} onRedact={onRedact} onBack={back} />
      )}
      {redacting && <RedactDialog room={room} said={redacting} onEnd={() => setRedacting(null)} />}
    </>
  );
}
