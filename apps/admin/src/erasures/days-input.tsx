import { Stack, TextField } from '@mui/material';
import { useState } from 'react';
import { useTranslate } from 'react-admin';

/** Days in UTC as 2026-01-31, both inclusive. */
export interface Span {
  readonly from: string;
  readonly to: string;
}

const DAY_MS = 86_400_000;

/** Asks for a span of days. Calls `onChange` with null as long as it is none. */
export function DaysInput({ most, onChange }: { most?: 'yesterday'; onChange(span: Span | null): void }) {
  const translate = useTranslate();
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const last = most && new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);
  const wrong = problemOf(from, to, last);
  const change = (span: Span) => {
    setFrom(span.from);
    setTo(span.to);
    onChange(span.from && span.to && !problemOf(span.from, span.to, last) ? span : null);
  };
  const field = (label: string, value: string, onPicked: (day: string) => void) => (
    <TextField
      type="date"
      label={translate(label)}
      value={value}
      onChange={({ target }) => onPicked(target.value)}
      error={wrong !== null}
      slotProps={{ inputLabel: { shrink: true }, htmlInput: { max: last } }}
      margin="normal"
      required
      fullWidth
    />
  );
  return (
    <>
      <Stack direction={{ xs: 'column', sm: 'row' }} sx={{ columnGap: 2 }}>
        {field('verbatim.subject.from', from, (day) => change({ from: day, to }))}
        {field('verbatim.subject.to', to, (day) => change({ from, to: day }))}
      </Stack>
      <span role="status">{wrong && translate(wrong)}</span>
    </>
  );
}

function problemOf(from: string, to: string, last: string | undefined): string | null {
  if (!from || !to) return null;
  if (from > to) return 'verbatim.subject.backwards';
  return last && to > last ? 'verbatim.subject.not_over' : null;
}
