import RedactIcon from '@mui/icons-material/FormatStrikethrough';
import { Box, IconButton, Tooltip, Typography } from '@mui/material';
import { memo } from 'react';
import { Link, useTranslate } from 'react-admin';
import { Moment } from '../../look/moment';
import type { Entry, Noted, Said } from './conversation';
import { Highlight } from './highlight';
import { type MessageActs, MessageMenu } from './message-menu';

interface EntryProps {
  readonly entry: Entry;
  /** The name of the person who posted or did it. */
  readonly name: string;
  /** Whether it is a search result. */
  readonly found?: boolean;
  /** The words searched for. */
  readonly words?: string;
  /** Absent where messages are only quoted. */
  readonly acts?: MessageActs;
}

export const EntryOf = memo(function EntryOf({ entry, ...props }: EntryProps) {
  return entry.kind === 'said' ? <SaidOf said={entry} {...props} /> : <NotedOf noted={entry} name={props.name} />;
});

/** A text is laid out by its own direction, whatever that of the page is. */
function SaidOf({ said, name, found, words, acts }: { said: Said } & Omit<EntryProps, 'entry'>) {
  const translate = useTranslate();
  const { author, text, at, edited, redacted } = said;
  const label = translate('verbatim.talk.redact_message', { name });
  return (
    <Box
      component="li"
      data-revision={said.revision}
      aria-current={found ? 'location' : undefined}
      sx={{
        display: 'flex',
        gap: 1,
        py: 0.75,
        px: 1,
        borderRadius: 1,
        '&:hover': { bgcolor: 'action.hover' },
        ...(found && { outline: 2, outlineColor: 'primary.main', outlineOffset: -2 }),
      }}
    >
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Typography variant="body2" component="div" sx={{ overflowWrap: 'anywhere' }}>
          <Link to={`/users/${author.id}/show`} sx={{ fontWeight: 600 }}>
            <bdi>{name}</bdi>
          </Link>{' '}
          <Moment at={at} variant="caption" color="textSecondary" />
          {edited && !redacted && (
            <Typography component="span" variant="caption" color="textSecondary">
              {' '}
              {translate('verbatim.talk.edited')}
            </Typography>
          )}
        </Typography>
        <Typography
          dir={text === null ? undefined : 'auto'}
          sx={{
            whiteSpace: 'pre-wrap',
            overflowWrap: 'anywhere',
            textAlign: 'start',
            fontStyle: redacted ? 'italic' : undefined,
          }}
          color={redacted ? 'textSecondary' : undefined}
        >
          {text === null ? translate('verbatim.talk.redacted') : <Highlight text={text} words={words} />}
        </Typography>
      </Box>
      {acts?.redact && !redacted && (
        <Tooltip title={translate('verbatim.talk.redact')}>
          <IconButton size="small" aria-label={label} onClick={() => acts.redact?.(said)} sx={{ alignSelf: 'start' }}>
            <RedactIcon fontSize="small" />
          </IconButton>
        </Tooltip>
      )}
      {acts && <MessageMenu said={said} name={name} acts={acts} />}
    </Box>
  );
}

function NotedOf({ noted: { what, at }, name }: { noted: Noted; name: string }) {
  const translate = useTranslate();
  return (
    <Typography component="li" variant="body2" color="textSecondary" sx={{ py: 0.5, px: 1, overflowWrap: 'anywhere' }}>
      {translate(`verbatim.talk.${what}`, { name })} <Moment at={at} variant="caption" color="textSecondary" />
    </Typography>
  );
}
