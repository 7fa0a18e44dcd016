import { Box } from '@mui/material';
import type { ReactNode, Ref } from 'react';
import { useTranslate } from 'react-admin';
import type { Entry } from './conversation';
import { EntryOf } from './entry';
import type { MessageActs } from './message-menu';
import { useNames } from './use-names';

interface LogProps {
  readonly ref: Ref<HTMLDivElement>;
  /** Whether new messages appear here. */
  readonly live: boolean;
  readonly entries: readonly Entry[];
  /** Revision of the message that was looked for. */
  readonly found?: number;
  /** The words searched for. */
  readonly words?: string;
  /** Content before and after the entries. */
  readonly top?: ReactNode;
  readonly bottom?: ReactNode;
  readonly acts: MessageActs;
}

/** Messages in a frame that scrolls by itself. */
export function Log({ ref, live, entries, found, words, top, bottom, acts }: LogProps) {
  const translate = useTranslate();
  const nameOf = useNames(entries);
  return (
    <Box
      ref={ref}
      role={live ? 'log' : 'region'}
      aria-label={translate(live ? 'verbatim.talk.region' : 'verbatim.find.region')}
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
      {top}
      <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {entries.map((entry) => (
          <EntryOf
            key={entry.revision}
            entry={entry}
            name={nameOf(entry)}
            found={entry.revision === found}
            words={entry.revision === found ? words : undefined}
            acts={acts}
          />
        ))}
      </Box>
      {bottom}
    </Box>
  );
}
