import ProofIcon from '@mui/icons-material/VerifiedOutlined';
import { Box, IconButton, Tooltip, Typography } from '@mui/material';
import { type Ref, useEffect, useRef, useState } from 'react';
import { useTranslate } from 'react-admin';
import type { usePeople } from '../../users/use-people';
import { useMoment } from '../../words/region';
import { type Provable, ProveDialog } from '../messages/prove-dialog';
import type { Scene } from './scene';

export type People = ReturnType<typeof usePeople>;

/** The name of the room and its messages at that time; `id` is that of the room. */
export function MessagesThen({ id, scene, people }: { id: string; scene: Scene; people: People }) {
  const translate = useTranslate();
  const [proving, setProving] = useState<Provable | null>(null);
  const end = useRef<HTMLLIElement>(null);
  const { messages, room } = scene;
  const newest = messages.at(-1)?.id;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the effect scrolls to the newest message
  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' });
  }, [newest]);
  return (
    <Box component="section" aria-label={translate('verbatim.rooms.messages')}>
      <Typography variant="h2" sx={{ overflowWrap: 'anywhere' }}>
        <bdi>{room.name || translate('verbatim.rooms.nameless')}</bdi>
        {room.status === 'closed' && ` (${translate('verbatim.room_status.closed')})`}
      </Typography>
      {room.topic && (
        <Typography color="textSecondary" sx={{ overflowWrap: 'anywhere' }}>
          <bdi>{room.topic}</bdi>
        </Typography>
      )}
      <Box
        component="ul"
        // A region that scrolls must be reached by the keyboard.
        tabIndex={0}
        aria-label={translate('verbatim.talk.region')}
        sx={{ listStyle: 'none', m: 0, mt: 1, p: 0, maxHeight: 420, overflowY: 'auto' }}
      >
        {messages.length === 0 && <li>{translate('verbatim.player.no_messages')}</li>}
        {messages.map((message) => (
          <MessageThen
            key={message.id}
            ref={message.id === newest ? end : undefined}
            message={message}
            people={people}
            onProve={setProving}
          />
        ))}
      </Box>
      {proving && <ProveDialog room={id} message={proving} onEnd={() => setProving(null)} />}
    </Box>
  );
}

interface MessageThenProps {
  readonly ref: Ref<HTMLLIElement> | undefined;
  readonly message: Scene['messages'][number];
  readonly people: People;
  onProve(message: Provable): void;
}

function MessageThen({ ref, message, people, onProve }: MessageThenProps) {
  const translate = useTranslate();
  const moment = useMoment();
  const { id, revision, author, text, postedAt, editedAt, redactedAt, visibleTo } = message;
  const name = people(author.id, author.displayName ?? author.username);
  // The event of an edit is not known here, so the current text is proved.
  const event = editedAt === null && redactedAt === null ? { revision } : {};
  return (
    <Box component="li" sx={{ py: 0.5, display: 'flex', gap: 1 }} ref={ref}>
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Typography variant="body2" component="div" sx={{ overflowWrap: 'anywhere' }}>
          <strong>
            <bdi>{name}</bdi>
          </strong>{' '}
          <Typography component="span" variant="caption" color="textSecondary">
            {moment(postedAt)}
            {editedAt && !redactedAt && ` · ${translate('verbatim.talk.edited')}`}
            {' · '}
            <span title={visibleTo.map((one) => people(one)).join(', ')}>
              {translate('verbatim.player.seen_by', { smart_count: visibleTo.length })}
            </span>
          </Typography>
        </Typography>
        <Typography
          dir="auto"
          sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontStyle: text === null ? 'italic' : undefined }}
          color={text === null ? 'textSecondary' : undefined}
        >
          {text ?? translate(redactedAt ? 'verbatim.talk.redacted' : 'verbatim.player.not_shown')}
        </Typography>
      </Box>
      <Tooltip title={translate('verbatim.message_proof.copy')}>
        <IconButton
          size="small"
          aria-label={translate('verbatim.message_proof.copy_of', { name })}
          onClick={() => onProve({ id, name, text, ...event })}
          sx={{ alignSelf: 'start' }}
        >
          <ProofIcon fontSize="small" />
        </IconButton>
      </Tooltip>
    </Box>
  );
}
