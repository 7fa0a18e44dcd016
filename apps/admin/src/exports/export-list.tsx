import { Chip, type Theme, Typography, useMediaQuery } from '@mui/material';
import { CreateButton, DataTable, List, TopToolbar, useTranslate } from 'react-admin';
import { useNumber } from '../home/figure';
import { Moment, MomentField } from '../look/moment';
import { NarrowList } from '../look/narrow-list';
import { RowLink } from '../look/row-link';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { useMoment } from '../words/region';
import type { Export } from './exports-source';
import { Wanted } from './wanted';

const Column = DataTable.Col<Export>;

/** One's own exports, the one requested last first. */
export default function ExportList() {
  const translate = useTranslate();
  return (
    <List
      actions={
        <TopToolbar>
          <CreateButton label="verbatim.exports.new" />
        </TopToolbar>
      }
      empty={false}
      perPage={25}
      exporter={false}
      queryOptions={liveList}
    >
      <Typography color="textSecondary" sx={{ p: 2 }}>
        {translate('verbatim.exports.lead')}
      </Typography>
      <Still>
        <Exports />
      </Still>
    </List>
  );
}

function Exports() {
  const number = useNumber();
  const moment = useMoment();
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  if (narrow) {
    return (
      <NarrowList<Export>
        name={({ requestedAt }) => moment(requestedAt)}
        more={({ reason }) => <bdi>{reason}</bdi>}
        standing={(one) => <StatusOf of={one} />}
        bulk={false}
      />
    );
  }
  return (
    <DataTable<Export> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column
        source="requestedAt"
        disableSort
        render={({ id, requestedAt }) => (
          <RowLink to={`/exports/${id}/show`}>
            <Moment at={requestedAt} />
          </RowLink>
        )}
      />
      <Column source="status" disableSort render={(one) => <StatusOf of={one} />} />
      <Column source="wanted" disableSort render={(one) => <Wanted of={one} />} />
      <Column source="reason" disableSort render={({ reason }) => <bdi>{reason}</bdi>} />
      <Column source="events" disableSort render={({ events }) => number(events)} />
      <Column source="expiresAt" disableSort>
        <MomentField source="expiresAt" />
      </Column>
    </DataTable>
  );
}

const colours = { queued: 'default', running: 'info', done: 'success', failed: 'error' } as const;

export function StatusOf({ of: { status } }: { of: Export }) {
  const translate = useTranslate();
  return (
    <Chip
      size="small"
      variant="outlined"
      color={colours[status]}
      label={translate(`verbatim.export_status.${status}`)}
    />
  );
}

function Nothing() {
  const translate = useTranslate();
  return (
    <Typography color="textSecondary" sx={{ p: 4, textAlign: 'center' }}>
      {translate('verbatim.exports.nothing')}
    </Typography>
  );
}
