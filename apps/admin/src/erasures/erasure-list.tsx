import { Chip, type Theme, Typography, useMediaQuery } from '@mui/material';
import type { Erasure } from '@verbatim/protocol';
import { DataTable, Link, List, useTranslate } from 'react-admin';
import { Moment, MomentField } from '../look/moment';
import { NarrowList } from '../look/narrow-list';
import { RowLink } from '../look/row-link';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { useMoment } from '../words/region';
import { ScopeOf } from './scope-of';

const Column = DataTable.Col<Erasure>;

/** All erasures, the one requested last first. */
export default function ErasureList() {
  const translate = useTranslate();
  return (
    <List actions={false} empty={false} perPage={25} exporter={false} queryOptions={liveList}>
      <Typography color="textSecondary" sx={{ p: 2 }}>
        {translate('verbatim.erasures.lead')}
      </Typography>
      <Still>
        <Erasures />
      </Still>
    </List>
  );
}

function Erasures() {
  const translate = useTranslate();
  const moment = useMoment();
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  if (narrow) {
    return (
      <NarrowList<Erasure>
        name={({ scope, requestedAt }) => `${translate(`verbatim.subject.${scope.kind}`)}, ${moment(requestedAt)}`}
        more={({ reason }) => <bdi>{reason}</bdi>}
        standing={(erasure) => <StatusOf erasure={erasure} />}
        bulk={false}
      />
    );
  }
  return (
    <DataTable<Erasure> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column
        source="requestedAt"
        disableSort
        render={({ id, requestedAt }) => (
          <RowLink to={`/erasures/${id}/show`}>
            <Moment at={requestedAt} />
          </RowLink>
        )}
      />
      <Column source="status" disableSort render={(erasure) => <StatusOf erasure={erasure} />} />
      <Column source="scope" disableSort render={({ scope }) => <ScopeOf scope={scope} />} />
      <Column source="ground" disableSort render={({ ground }) => translate(`verbatim.ground.${ground}`)} />
      <Column
        source="by"
        disableSort
        render={({ by }) =>
          by ? <Link to={`/users/${by.id}/show`}>{by.username || '–'}</Link> : translate('verbatim.erasures.by_rule')
        }
      />
      <Column source="finishedAt" disableSort>
        <MomentField source="finishedAt" />
      </Column>
    </DataTable>
  );
}

const colours = { queued: 'default', running: 'info', held: 'warning', done: 'success' } as const;

export function StatusOf({ erasure: { status } }: { erasure: Erasure }) {
  const translate = useTranslate();
  return (
    <Chip
      size="small"
      variant="outlined"
      color={colours[status]}
      label={translate(`verbatim.erasure_status.${status}`)}
    />
  );
}

function Nothing() {
  const translate = useTranslate();
  return (
    <Typography color="textSecondary" sx={{ p: 4, textAlign: 'center' }}>
      {translate('verbatim.erasures.nothing')}
    </Typography>
  );
}
