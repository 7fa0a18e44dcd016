import { Alert, Button } from '@mui/material';
import { useTranslate } from 'react-admin';
import { Edge } from './edge';
import { Log } from './log';
import type { MessageActs } from './message-menu';
import { type Place, usePast } from './use-past';
import { useReadingPlace } from './use-reading-place';

interface PastProps {
  /** Id of the room. */
  readonly room: string;
  readonly place: Place;
  readonly acts: MessageActs;
  /** Returns to the newest messages. */
  onBack(): void;
}

/** Messages around a place in the history. */
export function Past({ room, place, acts, onBack }: PastProps) {
  const translate = useTranslate();
  const past = usePast(room, place);
  const found = 'revision' in place ? place.found : undefined;
  const { ref, beforeEarlier } = useReadingPlace(room, past.entries, past.start ?? -1);
  const earlier = () => {
    beforeEarlier();
    void past.earlier();
  };
  return (
    <>
      <Alert
        severity="info"
        sx={{ mb: 1 }}
        action={
          <Button size="small" color="inherit" onClick={onBack}>
            {translate('verbatim.find.back')}
          </Button>
        }
      >
        {translate('verbatim.find.past')}
      </Alert>
      {past.error && <Alert severity="error">{past.error.message}</Alert>}
      {past.loaded && (
        <Log
          ref={ref}
          live={false}
          entries={past.entries}
          found={found && 'revision' in place ? place.revision : undefined}
          words={found?.words}
          top={
            <Edge
              more={past.hasEarlier ? 'verbatim.talk.earlier' : null}
              end={past.entries.length === 0 ? 'verbatim.find.nothing_there' : 'verbatim.talk.beginning'}
              onMore={earlier}
            />
          }
          bottom={
            <Edge
              more={past.hasLater ? 'verbatim.find.later' : null}
              end="verbatim.find.end"
              onMore={() => void past.later()}
            />
          }
          acts={acts}
        />
      )}
    </>
  );
}
