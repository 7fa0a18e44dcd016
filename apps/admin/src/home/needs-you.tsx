import { Alert, Box, Button, Card, CardContent, Skeleton, Typography } from '@mui/material';
import { Link, useTranslate } from 'react-admin';
import { Moment } from '../look/moment';
import { useNumber } from './figure';
import type { Overview } from './overview';

/** The most people to name; the rest are counted. */
const MOST_NAMED = 5;

/** Reports and people that wait for an administrator. */
export function NeedsYou({ overview }: { overview: Overview | undefined }) {
  const translate = useTranslate();
  const number = useNumber();
  if (!overview) return <Skeleton variant="rounded" height={64} sx={{ mb: 2 }} />;
  const { openReports, waiting } = overview;
  if (openReports === 0 && waiting.count === 0) {
    return (
      <Alert severity="success" variant="outlined" sx={{ mb: 2 }}>
        {translate('verbatim.home.nothing_waits')}
      </Alert>
    );
  }
  return (
    <Card component="section" aria-labelledby="needs-you" sx={{ mb: 2 }}>
      <CardContent>
        <Typography id="needs-you" variant="h2" sx={{ mb: 1 }}>
          {translate('verbatim.home.needs_you')}
        </Typography>
        {openReports > 0 && (
          <Box sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, alignItems: 'center' }}>
            <Typography>
              {translate('verbatim.home.open_reports', { smart_count: openReports, count: number(openReports) })}
            </Typography>
            <Button component={Link} to="/reports" variant="outlined" size="small">
              {translate('verbatim.home.to_reports')}
            </Button>
          </Box>
        )}
        {waiting.count > 0 && <Waiting waiting={waiting} />}
      </CardContent>
    </Card>
  );
}

function Waiting({ waiting: { count, people } }: { waiting: Overview['waiting'] }) {
  const translate = useTranslate();
  const number = useNumber();
  const named = people.slice(0, MOST_NAMED);
  return (
    <>
      <Typography sx={{ mt: 1 }}>
        {translate('verbatim.home.waiting', { smart_count: count, count: number(count) })}
      </Typography>
      <Box component="ul" sx={{ m: 0, pl: 3 }}>
        {named.map(({ person, why, since }) => (
          <Typography component="li" key={person.id} sx={{ overflowWrap: 'anywhere' }}>
            <Link to={`/users/${person.id}/show`}>{person.username}</Link>: {translate(`verbatim.home.why_${why}`)}{' '}
            <Moment at={since} color="textSecondary" variant="body2" />
          </Typography>
        ))}
      </Box>
      {count > named.length && (
        <Typography color="textSecondary">
          {translate('verbatim.home.more_wait', { smart_count: count - named.length })}
        </Typography>
      )}
    </>
  );
}
