import { Card, CardContent, Typography } from '@mui/material';
import { useTranslate } from 'react-admin';
import { useRegion } from '../words/region';

/** Writes a number as in the person's region; a dash while it is not known. */
export function useNumber(): (value: number | undefined) => string {
  const format = new Intl.NumberFormat(useRegion());
  return (value) => (value === undefined ? '–' : format.format(value));
}

interface FigureProps {
  readonly of: 'people' | 'messages' | 'registrations' | 'rooms';
  readonly value: string;
  readonly count: string;
}

export function Figure({ of, value, count }: FigureProps) {
  const translate = useTranslate();
  return (
    <Card>
      <CardContent sx={{ py: 1.5, '&:last-child': { pb: 1.5 } }}>
        <Typography component="h3" variant="body2" color="textSecondary">
          {translate(`verbatim.home.${of}`)}
        </Typography>
        <Typography variant="h5" component="p" sx={{ fontWeight: 600, fontVariantNumeric: 'tabular-nums' }}>
          {value}
        </Typography>
        <Typography variant="body2" color="textSecondary">
          {translate(`verbatim.home.${of}_detail`, { count })}
        </Typography>
      </CardContent>
    </Card>
  );
}
