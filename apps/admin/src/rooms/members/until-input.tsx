import { MenuItem, Stack, TextField } from '@mui/material';
import { useState } from 'react';
import { useTranslate } from 'react-admin';

const HOUR = 3_600_000;

/** Milliseconds from now. */
const spans = { hour: HOUR, day: 24 * HOUR, week: 7 * 24 * HOUR, month: 30 * 24 * HOUR } as const;

/** How long something is to last. */
export type Until = keyof typeof spans | 'forever' | { readonly date: string };

/** The instant at which it ends; null: never; undefined: not a future time. */
export function instantOf(until: Until, now = Date.now()): string | null | undefined {
  if (until === 'forever') return null;
  if (typeof until === 'string') return new Date(now + spans[until]).toISOString();
  const end = Date.parse(until.date);
  return end > now ? new Date(end).toISOString() : undefined;
}

interface UntilInputProps {
  readonly value: Until;
  /** Whether it may last for good. */
  readonly endless?: boolean;
  onChange(until: Until): void;
}

export function UntilInput({ value, endless, onChange }: UntilInputProps) {
  const translate = useTranslate();
  const [date, setDate] = useState('');
  const chosen = typeof value === 'string' ? value : 'date';
  const choices = [...Object.keys(spans), ...(endless ? ['forever'] : []), 'date'];
  return (
    <Stack direction={{ xs: 'column', sm: 'row' }} spacing={1} sx={{ mt: 1 }}>
      <TextField
        select
        label={translate('verbatim.restraints.until')}
        value={chosen}
        onChange={({ target }) => onChange(target.value === 'date' ? { date } : (target.value as Until))}
        fullWidth
      >
        {choices.map((one) => (
          <MenuItem key={one} value={one}>
            {translate(`verbatim.until.${one}`)}
          </MenuItem>
        ))}
      </TextField>
      {chosen === 'date' && (
        <TextField
          type="datetime-local"
          label={translate('verbatim.restraints.date')}
          value={date}
          onChange={({ target }) => {
            setDate(target.value);
            onChange({ date: target.value });
          }}
          slotProps={{ inputLabel: { shrink: true } }}
          required
          fullWidth
        />
      )}
    </Stack>
  );
}
