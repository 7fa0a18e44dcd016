import { ListItem, List as MuiList, type Theme, Typography, useMediaQuery } from '@mui/material';
import type { Hold } from '@verbatim/protocol';
import { DataTable, Link, List, TopToolbar, useListContext, useTranslate } from 'react-admin';
import { ScopeOf } from '../erasures/scope-of';
import { Moment } from '../look/moment';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { LiftButton } from './lift-button';
import { PlaceHoldButton } from './place-hold';

const Column = DataTable.Col<Hold>;

/** The holds in force, the one placed last first. */
export default function HoldList() {
  const translate = useTranslate();
  return (
    <List
      actions={
        <TopToolbar>
          <PlaceHoldButton />
        </TopToolbar>
      }
      empty={false}
      perPage={25}
      exporter={false}
      queryOptions={liveList}
    >
      <Typography color="textSecondary" sx={{ p: 2 }}>
        {translate('verbatim.holds.lead')}
      </Typography>
      <Still>
        <Holds />
      </Still>
    </List>
  );
}

function Holds() {
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  if (narrow) return <NarrowHolds />;
  return (
    <DataTable<Hold> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column source="scope" disableSort render={({ scope }) => <ScopeOf scope={scope} />} />
      <Column source="reason" disableSort render={({ reason }) => <bdi>{reason ?? '–'}</bdi>} />
      <Column source="by" disableSort render={(hold) => <PlacedBy hold={hold} />} />
      <Column source="placedAt" disableSort render={({ placedAt }) => <Moment at={placedAt} />} />
      <Column source="lift" label={false} disableSort render={(hold) => <LiftButton hold={hold} />} />
    </DataTable>
  );
}

function NarrowHolds() {
  const { data } = useListContext<Hold>();
  if (!data) return null;
  if (data.length === 0) return <Nothing />;
  return (
    <MuiList>
      {data.map((hold) => (
        <ListItem key={hold.id} divider sx={{ display: 'block', overflowWrap: 'anywhere' }}>
          <Typography variant="body2" component="div">
            <ScopeOf scope={hold.scope} />
          </Typography>
          <Typography variant="body2">
            <bdi>{hold.reason ?? '–'}</bdi>
          </Typography>
          <Typography color="textSecondary" variant="body2" component="div">
            <PlacedBy hold={hold} /> <Moment at={hold.placedAt} />
          </Typography>
          <LiftButton hold={hold} />
        </ListItem>
      ))}
    </MuiList>
  );
}

function PlacedBy({ hold: { by } }: { hold: Hold }) {
  return <Link to={`/users/${by.id}/show`}>{by.username || '–'}</Link>;
}

function Nothing() {
  const translate = useTranslate();
  return (
    <Typography color="textSecondary" sx={{ p: 4, textAlign: 'center' }}>
      {translate('verbatim.holds.nothing')}
    </Typography>
  );
}
