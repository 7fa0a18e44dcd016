import { Typography, type TypographyProps } from '@mui/material';
import { useRegion } from '../words/region';

/** A time, to the minute, as it is written where the person is. */
export function Moment({ at, ...look }: { at: string } & Pick<TypographyProps, 'variant' | 'color'>) {
  const locale = useRegion();
  return (
    <Typography component="time" dateTime={at} variant="inherit" {...look}>
      {new Date(at).toLocaleString(locale, { dateStyle: 'short', timeStyle: 'short' })}
    </Typography>
  );
}
