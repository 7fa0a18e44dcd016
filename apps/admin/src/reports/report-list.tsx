import { Stack, Typography } from '@mui/material';
import type { Report } from '@verbatim/protocol';
import { List, SelectInput, TopToolbar, useListContext, useTranslate } from 'react-admin';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { ReportCard } from './report-card';

const statusChoices = (['open', 'settled'] as const).map((id) => ({ id, name: `verbatim.report_status.${id}` }));

const filters = [<SelectInput key="status" source="status" choices={statusChoices} alwaysOn isRequired />];

/** Reports, oldest first. */
export default function ReportList() {
  return (
    <List
      filters={filters}
      filterDefaultValues={{ status: 'open' }}
      actions={<TopToolbar />}
      empty={false}
      perPage={10}
      exporter={false}
      queryOptions={liveList}
    >
      <Still>
        <Cards />
      </Still>
    </List>
  );
}

function Cards() {
  const translate = useTranslate();
  const { data, filterValues } = useListContext<Report>();
  if (!data) return null;
  if (data.length === 0) {
    return (
      <Typography sx={{ p: 4, textAlign: 'center' }} color="textSecondary">
        {translate(filterValues.status === 'settled' ? 'verbatim.reports.none_settled' : 'verbatim.reports.none_open')}
      </Typography>
    );
  }
  return (
    <Stack component="ul" spacing={2} sx={{ listStyle: 'none', m: 0, p: { xs: 1, sm: 2 } }}>
      {data.map((report) => (
        <li key={report.id}>
          <ReportCard report={report} />
        </li>
      ))}
    </Stack>
  );
}
