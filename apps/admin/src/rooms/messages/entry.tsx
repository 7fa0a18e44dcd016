import RedactIcon from '@mui/icons-material/FormatStrikethrough';
import { Box, IconButton, Tooltip, Typography } from '@mui/material';
import { memo } from 'react';
import { useTranslate } from 'react-admin';
import { Moment } from '../../look/moment';
import type { Entry, Noted, Said } from './conversation';

interface EntryProps {
  readonly entry: Entry;
  /** It is what was looked for. */
  readonly found?: boolean;
  /** Absent for those who may not redact. */
  onRedact?(said: Said): void;
}

export const EntryOf = memo(function EntryOf({ entry, found, onRedact }: EntryProps) {
  return entry.kind === 'said' ? <SaidOf said={entry} found={found} onRedact={onRedact} /> : <NotedOf noted={entry} />;
});

function SaidOf({ said, found, onRedact }: { said: Said } & Omit<EntryProps, 'entry'>) {
  const translate = useTranslate();
  const { author, text, at, edited, redacted } = said;
  const label = translate('verbatim.talk.redact_message', { name: author });
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
        <Typography variant="body2" component="div">
          <strong>{author}</strong> <Moment at={at} variant="caption" color="textSecondary" />
          {edited && !redacted && (
            <Typography component="span" variant="caption" color="textSecondary">
              {' '}
              {translate('verbatim.talk.edited')}
            </Typography>
          )}
        </Typography>
        <Typography
          sx={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', fontStyle: redacted ? 'italic' : undefined }}
          color={redacted ? 'textSecondary' : undefined}
        >
          {text ?? translate('verbatim.talk.redacted')}
        </Typography>
      </Box>
      {onRedact && !redacted && (
        <Tooltip title={translate('verbatim.talk.redact')}>
          <IconButton size="small" aria-label={label} onClick={() => onRedact(said)} sx={{ alignSelf: 'start' }}>
            <RedactIcon fontSize="small" />
          </IconButton>
        </Tooltip>
      )}
    </Box>
  );
}

function NotedOf({ noted: { what, who, at } }: { noted: Noted }) {
  const translate = useTranslate();
  const name = who ?? translate('verbatim.talk.service');
  return (
    <Typography component="li" variant="body2" color="textSecondary" sx={{ py: 0.5, px: 1 }}>
      {translate(`verbatim.talk.${what}`, { name })} <Moment at={at} variant="caption" color="textSecondary" />
    </Typography>
  );
}
