import { Box, Card, CardContent, Skeleton, Typography } from '@mui/material';
import { lazy, type ReactNode, Suspense } from 'react';
import { Title, useTranslate } from 'react-admin';
import { useRegion } from '../words/region';
import { course, lately, type Point, parts, perMinute, processor, type Sample } from './figures';
import { NewestPeople, NewestRooms } from './newest';
import { type Overview, Replicas, useOverview } from './overview';
import { type About, useSamples } from './samples';

/** The library for plots is loaded after the figures are shown. */
const Plot = lazy(() => import('./plot'));

/** How the service is doing, in figures and plots that keep up by themselves. */
export default function Home() {
  const translate = useTranslate();
  const { samples, about } = useSamples();
  const overview = useOverview();
  const messages = perMinute(samples, 'verbatim_messages');
  const sockets = course(samples, 'verbatim_sockets');
  const lag = course(samples, 'verbatim_projection_lag');
  return (
    <Box sx={{ p: { xs: 1, sm: 2 } }}>
      <Title title="verbatim.home.title" />
      <Typography color="textSecondary" sx={{ mb: 2 }}>
        {translate('verbatim.home.welcome')}
      </Typography>
      <Grid least={210}>
        <State sample={samples.at(-1)} about={about} />
        <Figures samples={samples} messages={messages} overview={overview} />
      </Grid>
      <Grid least={420}>
        <PlotCard title="verbatim.home.plot_messages" points={messages} />
        <PlotCard title="verbatim.home.plot_days" points={overview ? messagesByDay(overview) : []} by="day" />
        <PlotCard title="verbatim.home.plot_sockets" points={sockets} />
        <PlotCard title="verbatim.home.plot_lag" points={lag} />
      </Grid>
      {overview && <Replicas replicas={overview.replicas} />}
      <Grid least={320}>
        <NewestRooms />
        <NewestPeople />
      </Grid>
    </Box>
  );
}

function Grid({ least, children }: { least: number; children: ReactNode }) {
  const columns = `repeat(auto-fit, minmax(min(100%, ${least}px), 1fr))`;
  return <Box sx={{ display: 'grid', gap: 2, mb: 2, gridTemplateColumns: columns }}>{children}</Box>;
}

const states = {
  ready: { word: 'verbatim.home.ready', colour: 'success.main' },
  'not ready': { word: 'verbatim.home.not_ready', colour: 'warning.main' },
  'out of reach': { word: 'verbatim.home.out_of_reach', colour: 'error.main' },
} as const;

function State({ sample, about }: { sample: Sample | undefined; about: About | null }) {
  const translate = useTranslate();
  const state = sample && states[sample.ready];
  const detail =
    sample?.ready === 'ready'
      ? translate('verbatim.home.ready_detail')
      : sample?.ready === 'out of reach'
        ? translate('verbatim.home.out_of_reach_detail')
        : (sample?.detail ?? '');
  return (
    <Card role="status">
      <CardContent>
        <Typography component="h2" variant="body2" color="textSecondary">
          {translate('verbatim.home.state')}
        </Typography>
        <Typography variant="h5" component="p" sx={{ color: state?.colour, fontWeight: 600 }}>
          {translate(state?.word ?? 'verbatim.home.asking')}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {detail}
        </Typography>
        {sample && <Parts sample={sample} />}
        {about && (
          <Typography variant="body2" color="textSecondary">
            {translate('verbatim.home.version', { version: about.version, protocol: about.protocol })}
          </Typography>
        )}
      </CardContent>
    </Card>
  );
}

/** What the service stands on, and whether each of it is up. */
function Parts({ sample }: { sample: Sample }) {
  const translate = useTranslate();
  return (
    <Box component="ul" sx={{ m: 0, my: 1, p: 0, listStyle: 'none' }}>
      {parts(sample).map(({ name, up }) => (
        <Typography component="li" variant="body2" key={name} sx={{ color: up ? 'success.main' : 'error.main' }}>
          {translate(`verbatim.home.part_${name}`)}: {translate(up ? 'verbatim.home.up' : 'verbatim.home.down')}
        </Typography>
      ))}
    </Box>
  );
}

interface FiguresProps {
  readonly samples: readonly Sample[];
  readonly messages: readonly Point[];
  readonly overview: Overview | undefined;
}

function Figures({ samples, messages, overview }: FiguresProps) {
  const figures = samples.at(-1)?.figures ?? {};
  const number = useNumber();
  const word = (name: string) => number(figures[name]);
  const events = perMinute(samples, 'verbatim_feed_position').at(-1)?.value;
  const append = lately(samples, 'verbatim_store_append_seconds_sum', 'verbatim_store_append_seconds_count');
  const milliseconds = append === null ? undefined : Math.round(append * 10_000) / 10;
  const memory = figures.process_resident_memory_bytes;
  const today = overview?.days.at(-1);
  const delay = figures.nodejs_eventloop_lag_p99_seconds;
  const megabytes = memory === undefined ? '–' : `${number(Math.round(memory / 2 ** 20))} MiB`;
  return (
    <>
      <Figure of="people" value={number(sumOf(overview, 'people'))} />
      <Figure of="sockets" value={number(sumOf(overview, 'sockets'))} count={number(overview?.replicas.length)} />
      <Figure of="messages" value={number(messages.at(-1)?.value)} count={number(today?.messages)} />
      <Figure of="rooms" value={number(overview?.openRooms)} count={number(today?.rooms)} />
      <Figure of="registrations" value={number(today?.accounts)} count={number(overview?.accounts)} />
      <Figure of="position" value={number(plusOne(figures.verbatim_feed_position))} count={number(events)} />
      <Figure of="lag" value={word('verbatim_projection_lag')} count={word('verbatim_search_lag')} />
      <Figure of="store" value={number(milliseconds)} count={word('verbatim_store_subscription_lag_seconds')} />
      <Figure of="delay" value={number(delay && Math.round(delay * 1_000))} />
      <Figure of="memory" value={megabytes} percent={number(processor(samples) ?? undefined)} />
    </>
  );
}

/** Of all replicas together, as far as they tell. */
const sumOf = (overview: Overview | undefined, what: 'sockets' | 'people'): number | undefined =>
  overview?.replicas.reduce((sum, replica) => sum + (replica[what] ?? 0), 0);

const messagesByDay = ({ days }: Overview): Point[] =>
  days.map(({ day, messages }) => ({ at: Date.parse(day), value: messages }));

/** Positions count from 0. */
const plusOne = (position: number | undefined) => (position === undefined ? undefined : position + 1);

function useNumber() {
  const format = new Intl.NumberFormat(useRegion());
  return (value: number | undefined): string => (value === undefined ? '–' : format.format(value));
}

type FigureName =
  | 'people'
  | 'store'
  | 'messages'
  | 'rooms'
  | 'sockets'
  | 'registrations'
  | 'position'
  | 'lag'
  | 'delay'
  | 'memory';

function Figure({ of, value, ...values }: { of: FigureName; value: string; count?: string; percent?: string }) {
  const translate = useTranslate();
  return (
    <Card>
      <CardContent>
        <Typography component="h2" variant="body2" color="textSecondary">
          {translate(`verbatim.home.${of}`)}
        </Typography>
        <Typography variant="h5" component="p" sx={{ fontWeight: 600, fontVariantNumeric: 'tabular-nums' }}>
          {value}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {translate(`verbatim.home.${of}_detail`, values)}
        </Typography>
      </CardContent>
    </Card>
  );
}

interface PlotCardProps {
  readonly title: string;
  readonly points: readonly Point[];
  /** What one point stands for; a moment if absent. */
  readonly by?: 'day';
}

function PlotCard({ title, points, by }: PlotCardProps) {
  const translate = useTranslate();
  const number = useNumber();
  const most = points.reduce((highest, { value }) => Math.max(highest, value), 0);
  return (
    <Card component="figure" sx={{ m: 0 }}>
      <CardContent>
        <Typography component="figcaption" variant="body2" sx={{ fontWeight: 600 }}>
          {translate(title)}
          {points.length > 0 && (
            <Typography component="span" variant="body2" color="textSecondary">
              {': '}
              {translate('verbatim.home.plot_summary', { now: number(points.at(-1)?.value), most: number(most) })}
            </Typography>
          )}
        </Typography>
        <Box sx={{ height: 180, mt: 1 }}>
          {points.length < 2 ? (
            <Typography variant="body2" color="textSecondary">
              {translate('verbatim.home.collecting')}
            </Typography>
          ) : (
            <Suspense fallback={<Skeleton variant="rounded" height={180} />}>
              <Plot points={points} by={by} />
            </Suspense>
          )}
        </Box>
      </CardContent>
    </Card>
  );
}
