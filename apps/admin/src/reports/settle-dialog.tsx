import { FormControl, FormControlLabel, FormLabel, Radio, RadioGroup, TextField } from '@mui/material';
import type { Report } from '@verbatim/protocol';
import { useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { AskDialog } from '../look/ask-dialog';
import { useAction } from '../look/use-action';
import { client } from '../service/client';

const outcomes = ['acted', 'dismissed'] as const;

/** Settles a report with its outcome. */
export function SettleDialog({ report, onEnd }: { report: Report; onEnd(): void }) {
  const translate = useTranslate();
  const notify = useNotify();
  const [outcome, setOutcome] = useState<(typeof outcomes)[number] | null>(null);
  const [note, setNote] = useState('');
  const { act, busy, error } = useAction(
    (options, wanted: (typeof outcomes)[number]) =>
      client.call(
        'settleReport',
        {
          params: { id: report.roomId, reportId: report.id },
          body: { outcome: wanted, note: note.trim() || null },
        },
        options,
      ),
    () => {
      notify('verbatim.reports.settle_done', { type: 'success' });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate('verbatim.reports.settle_title')}
      text={translate('verbatim.reports.settle_text')}
      action={translate('verbatim.reports.settle')}
      ready={outcome !== null}
      busy={busy}
      error={error}
      onSubmit={() => outcome && act(outcome)}
      onEnd={onEnd}
    >
      <FormControl sx={{ mt: 2 }}>
        <FormLabel id="outcome">{translate('resources.reports.fields.outcome')}</FormLabel>
        <RadioGroup
          aria-labelledby="outcome"
          value={outcome ?? ''}
          onChange={(_, value) => setOutcome(value as (typeof outcomes)[number])}
        >
          {outcomes.map((one) => (
            <FormControlLabel
              key={one}
              value={one}
              control={<Radio autoFocus={one === outcomes[0]} />}
              label={translate(`verbatim.report_outcome.${one}`)}
            />
          ))}
        </RadioGroup>
      </FormControl>
      <TextField
        label={translate('resources.reports.fields.note')}
        helperText={translate('verbatim.reports.note_help')}
        value={note}
        onChange={({ target }) => setNote(target.value)}
        slotProps={{ htmlInput: { maxLength: 500 } }}
        margin="normal"
        multiline
        fullWidth
      />
    </AskDialog>
  );
}
