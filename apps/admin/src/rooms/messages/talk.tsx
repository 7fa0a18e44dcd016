import DownIcon from '@mui/icons-material/ArrowDownward';
import { Alert, Box, Chip, Fab } from '@mui/material';
import { useTranslate } from 'react-admin';
import { Edge } from './edge';
import { Log } from './log';
import type { MessageActs } from './message-menu';
import { type ConversationOf, useConversation } from './use-conversation';
import { useReadingPlace } from './use-reading-place';

/** Live messages of the room. New ones do not move the reader's place. */
export function Talk({ room, acts }: { room: string; acts: MessageActs }) {
  const translate = useTranslate();
  const talk = useConversation(room);
  const { ref, unseen, atEnd, toEnd, beforeEarlier } = useReadingPlace(room, talk.entries);
  const earlier = () => {
    beforeEarlier();
    void talk.earlier();
  };
  return (
    <>
      <LinkOf talk={talk} />
      {talk.error && <Alert severity="error">{translate(talk.error.message, { _: talk.error.message })}</Alert>}
      <Box sx={{ position: 'relative' }}>
        <Log
          ref={ref}
          live
          entries={talk.entries}
          top={
            talk.loaded && (
              <Edge
                more={talk.hasEarlier ? 'verbatim.talk.earlier' : null}
                end={talk.entries.length === 0 ? 'verbatim.talk.empty' : 'verbatim.talk.beginning'}
                onMore={earlier}
              />
            )
          }
          acts={acts}
        />
        {!atEnd && (
          <Fab
            variant="extended"
            size="small"
            color="primary"
            onClick={toEnd}
            sx={{ position: 'absolute', bottom: 12, right: 20 }}
          >
            <DownIcon fontSize="small" sx={{ mr: 0.5 }} />
            {unseen > 0
              ? translate('verbatim.talk.newer', { smart_count: unseen })
              : translate('verbatim.talk.to_newest')}
          </Fab>
        )}
      </Box>
    </>
  );
}

const colours = { online: 'success', connecting: 'warning', offline: 'error' } as const;
const sentences = {
  online: 'verbatim.talk.live',
  connecting: 'verbatim.talk.connecting',
  offline: 'verbatim.talk.offline',
} as const;

function LinkOf({ talk: { link } }: { talk: ConversationOf }) {
  const translate = useTranslate();
  return (
    <Box role="status" sx={{ mb: 1 }}>
      <Chip size="small" variant="outlined" color={colours[link]} label={translate(sentences[link])} />
    </Box>
  );
}
