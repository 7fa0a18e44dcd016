import { Box, Slider, useTheme } from '@mui/material';
import { useMemo, useState } from 'react';
import { useTranslate } from 'react-admin';
import { useMoment } from '../../words/region';
import { density, type Point } from './density';

/** Bars of the picture. */
const BARS = 80;
const HEIGHT = 48;

interface TimelineProps {
  readonly points: readonly Point[];
  /** The time that is shown in the player. */
  readonly at: string | null;
  onJump(at: string): void;
}

/** The activity of the room over time, with a handle at the current position. Moving it jumps. */
export function Timeline({ points, at, onJump }: TimelineProps) {
  const translate = useTranslate();
  const moment = useMoment();
  const { palette } = useTheme();
  const counts = useMemo(() => density(points, BARS), [points]);
  /** Where the handle is while it is moved. */
  const [moved, setMoved] = useState<number | null>(null);
  const [first = '', last = ''] = [points[0]?.at, points.at(-1)?.at];
  const [begin, end] = [Date.parse(first), Date.parse(last)];
  return (
    <Box sx={{ px: 1 }}>
      <svg
        viewBox={`0 0 ${BARS} ${HEIGHT}`}
        preserveAspectRatio="none"
        width="100%"
        height={HEIGHT}
        aria-hidden="true"
        style={{ display: 'block' }}
      >
        <path d={bars(counts)} fill={palette.primary.main} />
      </svg>
      <Slider
        size="small"
        min={begin}
        max={Math.max(end, begin + 1)}
        step={Math.max(1, Math.floor((end - begin) / 1_000))}
        value={moved ?? (at ? Date.parse(at) : begin)}
        onChange={(_, value) => setMoved(value as number)}
        onChangeCommitted={(_, value) => {
          setMoved(null);
          onJump(new Date(Math.min(value as number, end)).toISOString());
        }}
        getAriaValueText={(value) => moment(new Date(value).toISOString())}
        aria-label={translate('verbatim.player.timeline')}
        track={false}
      />
      <Box sx={{ display: 'flex', justifyContent: 'space-between', typography: 'caption', color: 'text.secondary' }}>
        <span>{moment(first)}</span>
        <span>{moment(last)}</span>
      </Box>
    </Box>
  );
}

/** The bars as one path. Heights grow with the square root, so that quiet times are visible beside busy ones. */
function bars(counts: readonly number[]): string {
  const most = Math.max(...counts, 1);
  const bar = (count: number, place: number) =>
    count === 0 ? '' : `M${place + 0.1} ${HEIGHT}v-${Math.max(2, Math.sqrt(count / most) * HEIGHT)}h0.8V${HEIGHT}z`;
  return counts.map(bar).join('');
}
