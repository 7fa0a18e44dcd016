import { Card, CardContent, TableCell, TableRow, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { AnswerOf } from '@verbatim/protocol';
import { useTranslate } from 'react-admin';
import { PlainTable } from '../look/plain-table';
import { client } from '../service/client';
import { useRegion } from '../words/region';

export type Overview = AnswerOf<'getOverview'>;

/** Milliseconds between two looks: so often the replicas tell of themselves. */
const PAUSE = 3_000;

/** How much there is in the whole service; undefined until it is known. */
export const useOverview = (): Overview | undefined =>
  useQuery({ queryKey: ['overview'], queryFn: () => client.call('getOverview'), refetchInterval: PAUSE }).data;

/** Which processes serve, and how much each has to do. */
export function Replicas({ replicas }: { replicas: Overview['replicas'] }) {
  const translate = useTranslate();
  const format = new Intl.NumberFormat(useRegion());
  const number = (value: number | null) => (value === null ? '–' : format.format(value));
  const word = (name: string) => translate(`verbatim.home.replica_${name}`);
  return (
    <Card sx={{ mb: 2 }}>
      <CardContent>
        <Typography variant="h2">{translate('verbatim.home.replicas')}</Typography>
        <PlainTable
          label={translate('verbatim.home.replicas')}
          columns={[word('id'), word('sockets'), word('people')]}
          empty=""
        >
          {replicas.map(({ id, answers, sockets, people }) => (
            <TableRow key={id}>
              <TableCell>
                {/* Times of start stand at the beginning of such an id, what tells two of them apart at its end. */}
                <code>{id.slice(-12)}</code> {answers && word('answers')}
              </TableCell>
              <TableCell>{number(sockets)}</TableCell>
              <TableCell>{number(people)}</TableCell>
            </TableRow>
          ))}
        </PlainTable>
      </CardContent>
    </Card>
  );
}
