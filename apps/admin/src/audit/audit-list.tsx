import { type Theme, Typography, useMediaQuery } from '@mui/material';
import { type AuditEntry, auditedActions } from '@verbatim/protocol';
import {
  DataTable,
  DateInput,
  FilterButton,
  Link,
  List,
  SelectInput,
  SimpleList,
  TextInput,
  TopToolbar,
  useTranslate,
} from 'react-admin';
import { Moment } from '../look/moment';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { byPerson } from '../users/by-person';
import { DownloadButton } from './download';

const actions = auditedActions.map((id) => ({ id, name: `verbatim.audited.${id}` }));

const filters = [
  byPerson,
  <SelectInput key="action" source="action" choices={actions} alwaysOn />,
  <DateInput key="from" source="from" />,
  <DateInput key="before" source="before" />,
  <TextInput key="room" source="room" />,
  <TextInput key="target" source="target" />,
];

const Column = DataTable.Col<AuditEntry>;

/** What administrators and auditors did, latest first. */
export default function AuditList() {
  const translate = useTranslate();
  return (
    <List filters={filters} actions={<Actions />} empty={false} perPage={25} exporter={false} queryOptions={liveList}>
      <Typography color="textSecondary" sx={{ p: 2 }}>
        {translate('verbatim.audit.lead')}
      </Typography>
      <Still>
        <Entries />
      </Still>
    </List>
  );
}

function Actions() {
  return (
    <TopToolbar>
      <FilterButton />
      <DownloadButton />
    </TopToolbar>
  );
}

function Entries() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  if (narrow) {
    return (
      <SimpleList<AuditEntry>
        primaryText={(entry) => (
          <>
            <Actor entry={entry} />: <Action entry={entry} />
          </>
        )}
        secondaryText={(entry) => (
          <>
            <TargetOf entry={entry} /> <Moment at={entry.at} /> <bdi>{entry.reason}</bdi>
          </>
        )}
        rowClick={false}
        empty={<Nothing />}
      />
    );
  }
  return (
    <DataTable<AuditEntry> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column source="at" disableSort render={({ at }) => <Moment at={at} />} />
      <Column source="actor" disableSort render={(entry) => <Actor entry={entry} />} />
      <Column source="action" disableSort render={(entry) => <Action entry={entry} />} />
      <Column source="target" disableSort render={(entry) => <TargetOf entry={entry} />} />
      <Column
        source="reason"
        disableSort
        render={({ reason }) => <bdi>{reason ?? '–'}</bdi>}
        sx={{ overflowWrap: 'anywhere', minWidth: 160 }}
      />
    </DataTable>
  );
}

function Actor({ entry: { actor } }: { entry: AuditEntry }) {
  return <Link to={`/users/${actor.id}/show`}>{actor.username || '–'}</Link>;
}

/** The action, with details of changed settings, roles and reads. */
function Action({ entry: { action, detail } }: { entry: AuditEntry }) {
  const translate = useTranslate();
  return (
    <>
      {translate(`verbatim.audited.${action}`, { _: action })}
      {detail && (
        <Typography component="span" variant="caption" color="textSecondary">
          {' '}
          {translate(`verbatim.audit_detail.${detail}`, { _: detail })}
        </Typography>
      )}
    </>
  );
}

/** Links to the room or person; things in a room link to the room. */
function TargetOf({ entry: { target, roomId } }: { entry: AuditEntry }) {
  const translate = useTranslate();
  const { kind, id, name } = target;
  const called = name ?? translate(`verbatim.audit_target.${kind}`, { _: kind });
  if (kind === 'user') return <Link to={`/users/${id}/show`}>{called}</Link>;
  return roomId === null ? called : <Link to={`/rooms/${roomId}/show`}>{called}</Link>;
}

function Nothing() {
  const translate = useTranslate();
  return (
    <Typography color="textSecondary" sx={{ p: 4, textAlign: 'center' }}>
      {translate('verbatim.audit.nothing')}
    </Typography>
  );
}
