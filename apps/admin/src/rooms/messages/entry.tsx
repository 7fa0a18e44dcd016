import RedactIcon from '@mui/icons-material/FormatStrikethrough';
import { Box, IconButton, Tooltip, Typography } from '@mui/material';
import { memo } from 'react';
import { useTranslate } from 'react-admin';
import { useRegion } from '../../words/region';
import type { Entry, Noted, Said } from './conversation';

interface EntryProps {
  readonly entry: Entry;
  /** Absent for those who may not redact. */
  onRedact?(said: Said): void;
}

export const EntryOf = memo(function EntryOf({ entry, onRedact }: EntryProps) {
  return entry.kind === 'said' ? <SaidOf said={entry} onRedact={onRedact} /> : <NotedOf noted={entry} />;
});

function SaidOf({ said, onRedact }: { said: Said; onRedact?(said: Said): void }) {
  const translate = useTranslate();
  const { author, text, at, edited, redacted } = said;
  const label = translate('verbatim.talk.redact_message', { name: author });
  return (
    <Box
      component="li"
      sx={{ display: 'flex', gap: 1, py: 0.75, px: 1, borderRadius: 1, '&:hover': { bgcolor: 'action.hover' } }}
    >
      <Box sx={{ flex: 1, minWidth: 0 }}>
        <Typography variant="body2" component="div">
          <strong>{author}</strong> <Moment at={at} />
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
      {translate(`verbatim.talk.${what}`, { name })} <Moment at={at} />
    </Typography>
  );
}

function Moment({ at }: { at: string }) {
  const locale = useRegion();
  return (
    <Typography component="time" dateTime={at} variant="caption" color="textSecondary">
      {new Date(at).toLocaleString(locale, { dateStyle: 'short', timeStyle: 'short' })}
    </Typography>
  );
}
