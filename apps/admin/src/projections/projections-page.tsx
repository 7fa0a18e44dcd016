import {
  Box,
  Card,
  CardContent,
  LinearProgress,
  Table,
  TableBody,
  TableCell,
  TableContainer,
  TableHead,
  TableRow,
  Typography,
} from '@mui/material';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import type { ProjectionGroup, Projections } from '@verbatim/protocol';
import { Title, useTranslate } from 'react-admin';
import { Failure } from '../look/failure';
import { Moment } from '../look/moment';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { useRegion } from '../words/region';
import { RebuildButton } from './rebuild-button';

/** Milliseconds between two looks while a rebuild runs. */
const OFTEN_MS = 2_000;

const PROJECTIONS = ['projections'];

/** How far the read models are behind the log, and a button to rebuild them. */
export default function ProjectionsPage() {
  const translate = useTranslate();
  const { data, error } = useQuery({
    queryKey: PROJECTIONS,
    queryFn: () => shown(client.call('getProjections')),
    refetchInterval: ({ state }) => (state.data?.rebuild ? OFTEN_MS : false),
  });
  return (
    <Box sx={{ p: { xs: 1, sm: 2 } }}>
      <Title title="resources.projections.name" />
      <Typography color="textSecondary" sx={{ mb: 2 }}>
        {translate('verbatim.projections.lead')}
      </Typography>
      <Failure error={error} />
      {data && <Now projections={data} />}
    </Box>
  );
}

function Now({ projections }: { projections: Projections }) {
  const translate = useTranslate();
  const number = useNumber();
  const queries = useQueryClient();
  const { schema, head, projecting, groups, rebuild } = projections;
  return (
    <Card>
      <CardContent>
        <Typography>{translate('verbatim.projections.schema', { schema })}</Typography>
        <Typography>{translate('verbatim.projections.head', { head: number(head) })}</Typography>
        <Typography color="textSecondary">
          {translate(projecting ? 'verbatim.projections.here' : 'verbatim.projections.elsewhere')}
        </Typography>
        <Groups groups={groups} />
        {rebuild ? (
          <Rebuild {...rebuild} />
        ) : (
          <RebuildButton onBegun={(now) => queries.setQueryData(PROJECTIONS, now)} />
        )}
      </CardContent>
    </Card>
  );
}

function Groups({ groups }: { groups: readonly ProjectionGroup[] }) {
  const translate = useTranslate();
  const number = useNumber();
  const head = (['group', 'checkpoint', 'lag', 'moved'] as const).map((word) => (
    <TableCell key={word}>{translate(`verbatim.projections.${word}`)}</TableCell>
  ));
  return (
    <TableContainer sx={{ my: 2 }} tabIndex={0} role="region" aria-label={translate('resources.projections.name')}>
      <Table size="small">
        <TableHead>
          <TableRow>{head}</TableRow>
        </TableHead>
        <TableBody>
          {groups.map(({ name, checkpoint, lag, movedAt }) => (
            <TableRow key={name}>
              <TableCell component="th" scope="row">
                {translate(`verbatim.projections.${name}`)}
              </TableCell>
              <TableCell>{number(checkpoint)}</TableCell>
              <TableCell>{number(lag)}</TableCell>
              <TableCell>{movedAt ? <Moment at={movedAt} /> : '–'}</TableCell>
            </TableRow>
          ))}
        </TableBody>
      </Table>
    </TableContainer>
  );
}

function Rebuild({ schema, done, total }: { schema: string; done: number; total: number }) {
  const translate = useTranslate();
  const number = useNumber();
  const label = translate('verbatim.projections.rebuilding', { schema, done: number(done), total: number(total) });
  return (
    <Box role="status">
      <Typography sx={{ mb: 1 }}>{label}</Typography>
      <LinearProgress variant="determinate" value={total > 0 ? (100 * done) / total : 100} aria-label={label} />
    </Box>
  );
}

function useNumber() {
  const format = new Intl.NumberFormat(useRegion());
  return (value: number | null): string => (value === null ? '–' : format.format(value));
}
