import { Box, LinearProgress, Typography } from '@mui/material';
import type { Retention } from '@verbatim/protocol';
import { Link, useTranslate } from 'react-admin';
import { Fact, Facts } from '../look/facts';
import { useDay, useRegion } from '../words/region';

/** How far the rules are carried out today. How many rooms are left is not known to the service. */
export function Pass({ retention: { pass, waiting } }: { retention: Retention }) {
  const translate = useTranslate();
  const day = useDay();
  const format = new Intl.NumberFormat(useRegion());
  const standing = pass === null ? 'not_begun' : pass.complete ? 'complete' : 'looking';
  const sentence = translate(`verbatim.retention.${standing}`, { day: pass ? day(pass.day) : '' });
  return (
    <>
      <Box role="status">
        <Typography color="textSecondary">{sentence}</Typography>
        {standing !== 'complete' && <LinearProgress aria-label={sentence} sx={{ my: 1 }} />}
      </Box>
      <Facts>
        {pass && (
          <>
            <Fact label="verbatim.retention.looked">{format.format(pass.looked)}</Fact>
            <Fact label="verbatim.retention.requested">{format.format(pass.requested)}</Fact>
            <Fact label="verbatim.retention.held">{format.format(pass.held)}</Fact>
          </>
        )}
        <Fact label="verbatim.retention.waiting">
          {format.format(waiting)} (<Link to="/erasures">{translate('verbatim.retention.to_erasures')}</Link>)
        </Fact>
      </Facts>
    </>
  );
}
