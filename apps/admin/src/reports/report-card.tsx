import { Button, Card, CardActions, CardContent, Chip, Stack, Typography } from '@mui/material';
import type { Report } from '@verbatim/protocol';
import { useState } from 'react';
import { Link, RecordContextProvider, ReferenceField, useCanAccess, useTranslate } from 'react-admin';
import { Fact, Facts } from '../look/facts';
import { Moment } from '../look/moment';
import { BanDialog } from '../rooms/members/ban-dialog';
import { Reading } from '../rooms/reading';
import { Reported } from './reported';
import { SettleDialog } from './settle-dialog';

/** One report: who reported whom, where and why, and the message on demand. */
export function ReportCard({ report }: { report: Report }) {
  const translate = useTranslate();
  const [reading, setReading] = useState(false);
  const [asking, setAsking] = useState<'settle' | 'ban' | null>(null);
  const { canAccess } = useCanAccess({ resource: 'reports', action: 'edit' });
  const { author, status } = report;
  const end = () => setAsking(null);
  return (
    <Card component="article" aria-label={report.reason ?? translate('verbatim.reports.forgotten')}>
      <CardContent>
        <Stack direction="row" spacing={1} sx={{ alignItems: 'start', justifyContent: 'space-between' }}>
          <Typography variant="h2" sx={{ overflowWrap: 'anywhere' }}>
            {report.reason ?? translate('verbatim.reports.forgotten')}
          </Typography>
          <Chip size="small" variant="outlined" label={translate(`verbatim.report_status.${status}`)} />
        </Stack>
        <WhoAndWhere report={report} />
        {reading && (
          <RecordContextProvider value={{ id: report.roomId }}>
            <Reading>
              <Reported report={report} mayRedact={canAccess === true} />
            </Reading>
          </RecordContextProvider>
        )}
      </CardContent>
      <CardActions sx={{ flexWrap: 'wrap' }}>
        <Button aria-expanded={reading} onClick={() => setReading(!reading)}>
          {translate(reading ? 'verbatim.reports.hide' : 'verbatim.reports.read')}
        </Button>
        {canAccess && author && (
          <Button color="error" onClick={() => setAsking('ban')}>
            {translate('verbatim.restraints.ban_person', { name: author.username })}
          </Button>
        )}
        {canAccess && status === 'open' && (
          <Button variant="contained" onClick={() => setAsking('settle')}>
            {translate('verbatim.reports.settle')}
          </Button>
        )}
      </CardActions>
      {asking === 'settle' && <SettleDialog report={report} onEnd={end} />}
      {asking === 'ban' && author && (
        <BanDialog room={report.roomId} person={{ id: author.id, name: author.username }} onEnd={end} />
      )}
    </Card>
  );
}

function WhoAndWhere({ report }: { report: Report }) {
  const translate = useTranslate();
  const { author, reporter, reportedAt, settledBy, settledAt, outcome, note } = report;
  return (
    <Facts>
      <Fact label="resources.reports.fields.roomId">
        <ReferenceField record={report} source="roomId" reference="rooms" link="show" />
      </Fact>
      <Fact label="resources.reports.fields.author">{author ? <PersonLink person={author} /> : '–'}</Fact>
      <Fact label="resources.reports.fields.reporter">
        <PersonLink person={reporter} /> <Moment at={reportedAt} color="textSecondary" />
      </Fact>
      {settledAt && (
        <Fact label="resources.reports.fields.settledBy">
          {settledBy && <PersonLink person={settledBy} />} <Moment at={settledAt} color="textSecondary" />
        </Fact>
      )}
      {outcome && (
        <Fact label="resources.reports.fields.outcome">{translate(`verbatim.report_outcome.${outcome}`)}</Fact>
      )}
      {note && <Fact label="resources.reports.fields.note">{note}</Fact>}
    </Facts>
  );
}

const PersonLink = ({ person: { id, username } }: { person: { id: string; username: string } }) => (
  <Link to={`/users/${id}/show`}>{username}</Link>
);
