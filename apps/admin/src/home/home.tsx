import { Box, Typography } from '@mui/material';
import type { ReactNode } from 'react';
import { Title, useTranslate } from 'react-admin';
import { Figure, useNumber } from './figure';
import { FirstSteps } from './first-steps';
import { NeedsYou } from './needs-you';
import { NewestPeople, NewestRooms } from './newest';
import { type Overview, useOverview } from './overview';
import { PlotCard } from './plot-card';
import { ServiceState } from './service-state';

/** What administrators want to know first: whether anything needs attention, current activity, and the state of the service. */
export default function Home() {
  const translate = useTranslate();
  const overview = useOverview();
  return (
    <Box sx={{ p: { xs: 1, sm: 2 } }}>
      <Title title="verbatim.home.title" />
      <Typography component="h2" sx={{ position: 'absolute', clip: 'rect(0 0 0 0)' }}>
        {translate('verbatim.home.welcome')}
      </Typography>
      {overview && <FirstSteps overview={overview} />}
      <NeedsYou overview={overview} />
      <Grid least={150}>
        <Figures overview={overview} />
      </Grid>
      <Grid least={320}>
        <Plots overview={overview} />
      </Grid>
      <Grid least={320}>
        <NewestRooms />
        <NewestPeople />
      </Grid>
      {overview && <ServiceState overview={overview} />}
    </Box>
  );
}

function Grid({ least, children }: { least: number; children: ReactNode }) {
  const columns = `repeat(auto-fit, minmax(min(100%, ${least}px), 1fr))`;
  return <Box sx={{ display: 'grid', gap: 2, mb: 2, gridTemplateColumns: columns }}>{children}</Box>;
}

function Figures({ overview }: { overview: Overview | undefined }) {
  const number = useNumber();
  const today = overview?.days.at(-1);
  const lately = overview?.days.slice(-7) ?? [];
  const sum = (what: 'messages' | 'accounts') => number(overview && lately.reduce((all, day) => all + day[what], 0));
  return (
    <>
      <Figure of="people" value={number(connected(overview))} count={number(overview?.accounts)} />
      <Figure of="messages" value={number(today?.messages)} count={sum('messages')} />
      <Figure of="registrations" value={number(today?.accounts)} count={sum('accounts')} />
      <Figure of="rooms" value={number(overview?.openRooms)} count={number(today?.rooms)} />
    </>
  );
}

/** Over all processes that report it. */
const connected = (overview: Overview | undefined): number | undefined =>
  overview?.replicas.reduce((sum, { people }) => sum + (people ?? 0), 0);

function Plots({ overview }: { overview: Overview | undefined }) {
  const days = overview?.days ?? [];
  const perDay = (what: 'messages' | 'accounts') => days.map((day) => ({ at: Date.parse(day.day), value: day[what] }));
  const sampled = (overview?.connected ?? []).map(({ at, people }) => ({ at: Date.parse(at), value: people }));
  const now = connected(overview);
  const online = now === undefined ? sampled : [...sampled, { at: Date.now(), value: now }];
  const known = overview !== undefined;
  return (
    <>
      <PlotCard title="verbatim.home.plot_messages" points={perDay('messages')} by="day" known={known} />
      <PlotCard title="verbatim.home.plot_people" points={online} by="time" known={known} />
      <PlotCard title="verbatim.home.plot_accounts" points={perDay('accounts')} by="day" known={known} />
    </>
  );
}
