import DownIcon from '@mui/icons-material/ArrowDownward';
import { Alert, Box, Button, Chip, Fab, Stack, Typography } from '@mui/material';
import type { Room } from '@verbatim/protocol';
import { useCallback, useState } from 'react';
import { useCanAccess, useRecordContext, useTranslate } from 'react-admin';
import type { Said } from './conversation';
import { EntryOf } from './entry';
import { RedactDialog } from './redact-dialog';
import { type ConversationOf, useConversation } from './use-conversation';
import { useReadingPlace } from './use-reading-place';

/** What is said in the room, as it is said. What comes does not move what one is reading. */
export function MessagesTab() {
  const room = useRecordContext<Room>();
  return room ? <Talk key={room.id} room={room} /> : null;
}

function Talk({ room }: { room: Room }) {
  const translate = useTranslate();
  const talk = useConversation(room.id);
  const { canAccess } = useCanAccess({ resource: 'rooms', action: 'redact' });
  const [redacting, setRedacting] = useState<Said | null>(null);
  const redact = useCallback((said: Said) => setRedacting(said), []);
  const { ref, unseen, atEnd, toEnd, beforeEarlier } = useReadingPlace(talk.entries);
  const earlier = () => {
    beforeEarlier();
    void talk.earlier();
  };
  return (
    <Box>
      <LinkOf talk={talk} />
      {talk.error && <Alert severity="error">{translate(talk.error.message, { _: talk.error.message })}</Alert>}
      <Box sx={{ position: 'relative' }}>
        <Box
          ref={ref}
          role="log"
          aria-label={translate('verbatim.talk.region')}
          tabIndex={0}
          sx={{
            height: 'clamp(320px, 62vh, 900px)',
            overflowY: 'auto',
            px: 1,
            border: 1,
            borderColor: 'divider',
            borderRadius: 1,
          }}
        >
          <Beginning talk={talk} onEarlier={earlier} />
          <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
            {talk.entries.map((entry) => (
              <EntryOf key={entry.revision} entry={entry} onRedact={canAccess ? redact : undefined} />
            ))}
          </Box>
        </Box>
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
      {redacting && <RedactDialog room={room.id} said={redacting} onEnd={() => setRedacting(null)} />}
    </Box>
  );
}

function Beginning({ talk, onEarlier }: { talk: ConversationOf; onEarlier(): void }) {
  const translate = useTranslate();
  if (!talk.loaded) return null;
  const sentence = talk.entries.length === 0 ? 'verbatim.talk.empty' : 'verbatim.talk.beginning';
  return (
    <Stack sx={{ alignItems: 'center', py: 1 }}>
      {talk.hasEarlier ? (
        <Button onClick={onEarlier}>{translate('verbatim.talk.earlier')}</Button>
      ) : (
        <Typography variant="body2" color="textSecondary">
          {translate(sentence)}
        </Typography>
      )}
    </Stack>
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
