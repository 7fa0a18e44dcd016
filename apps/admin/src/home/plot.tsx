import { useTheme } from '@mui/material';
import { Area, AreaChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { useRegion } from '../words/region';

/** A point of a plot. */
export interface Point {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly value: number;
}

export interface PlotProps {
  readonly points: readonly Point[];
  /** The label of one point. */
  readonly by: 'day' | 'time';
}

/** One value over time. The caption says the same in words, so screen readers can skip the chart. */
export default function Plot({ points, by }: PlotProps) {
  const { palette } = useTheme();
  const locale = useRegion();
  const time = (at: unknown) => {
    const date = new Date(Number(at));
    // Days are those of UTC, wherever one looks at them.
    if (by === 'day') return date.toLocaleDateString(locale, { timeZone: 'UTC', day: 'numeric', month: 'short' });
    return date.toLocaleTimeString(locale, { timeStyle: 'short' });
  };
  return (
    <div aria-hidden="true" style={{ height: '100%' }}>
      <ResponsiveContainer width="100%" height="100%">
        <AreaChart data={[...points]} margin={{ top: 8, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false}>
          <CartesianGrid stroke={palette.divider} vertical={false} />
          <XAxis
            dataKey="at"
            type="number"
            scale="time"
            domain={['dataMin', 'dataMax']}
            tickFormatter={time}
            tick={{ fill: palette.text.secondary, fontSize: 12 }}
            minTickGap={48}
          />
          <YAxis allowDecimals={false} width={48} tick={{ fill: palette.text.secondary, fontSize: 12 }} />
          <Tooltip
            labelFormatter={time}
            formatter={(value) => [`${value}`, '']}
            separator=""
            contentStyle={{ background: palette.background.paper, borderColor: palette.divider }}
          />
          <Area
            dataKey="value"
            stroke={palette.primary.main}
            fill={palette.primary.main}
            fillOpacity={0.15}
            strokeWidth={2}
            isAnimationActive={false}
          />
        </AreaChart>
      </ResponsiveContainer>
    </div>
  );
}
