import { Typography, type TypographyProps } from '@mui/material';
import { useRecordContext } from 'react-admin';
import { useMoment } from '../words/region';

/** A time, to the minute, as it is written where the person is. */
export function Moment({ at, ...look }: { at: string } & Pick<TypographyProps, 'variant' | 'color'>) {
  const moment = useMoment();
  return (
    <Typography component="time" dateTime={at} variant="inherit" sx={{ whiteSpace: 'nowrap' }} {...look}>
      {moment(at)}
    </Typography>
  );
}

/** A field of the record around it that holds a time, or none. `label` is for the layout around it. */
export function MomentField({ source }: { source: string; label?: string }) {
  const at = useRecordContext<Record<string, unknown> & { id: string }>()?.[source];
  return typeof at === 'string' ? <Moment at={at} variant="body2" /> : '–';
}
