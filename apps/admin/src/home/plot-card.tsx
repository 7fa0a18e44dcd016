import { Box, Card, CardContent, Skeleton, Typography } from '@mui/material';
import { useTranslate } from 'react-admin';
import { lazyPage } from '../look/lazy-page';
import { useNumber } from './figure';
import type { PlotProps, Point } from './plot';

/** The library for plots is loaded after the figures are shown. */
const Plot = lazyPage<PlotProps>(() => import('./plot'));

const HEIGHT = 150;

interface PlotCardProps {
  readonly title: string;
  readonly points: readonly Point[];
  readonly by: PlotProps['by'];
  /** Whether there are points to be shown yet. */
  readonly known: boolean;
}

/** One figure over time, as a picture and as a sentence. */
export function PlotCard({ title, points, by, known }: PlotCardProps) {
  const translate = useTranslate();
  const number = useNumber();
  const most = points.reduce((highest, { value }) => Math.max(highest, value), 0);
  return (
    <Card component="figure" sx={{ m: 0, minWidth: 0 }}>
      <CardContent sx={{ pb: '12px !important' }}>
        <Typography component="figcaption" variant="body2" sx={{ fontWeight: 600 }}>
          {translate(title)}
          {points.length > 0 && (
            <Typography component="span" variant="body2" color="textSecondary">
              {': '}
              {translate(`verbatim.home.plot_${by}`, { now: number(points.at(-1)?.value), most: number(most) })}
            </Typography>
          )}
        </Typography>
        <Box sx={{ height: HEIGHT, mt: 1 }}>
          {!known ? (
            <Skeleton variant="rounded" height={HEIGHT} />
          ) : points.length < 2 ? (
            <Typography variant="body2" color="textSecondary">
              {translate('verbatim.home.collecting')}
            </Typography>
          ) : (
            <Plot points={points} by={by} />
          )}
        </Box>
      </CardContent>
    </Card>
  );
}
