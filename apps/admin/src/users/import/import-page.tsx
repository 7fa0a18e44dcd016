import DownloadIcon from '@mui/icons-material/Download';
import FileIcon from '@mui/icons-material/UploadFile';
import { Alert, Button, Card, CardContent, Stack, TableCell, TableRow, Typography } from '@mui/material';
import { csvHeader, csvLine } from '@verbatim/protocol';
import { type ChangeEvent, useRef } from 'react';
import { CanAccess, Title, useTranslate } from 'react-admin';
import { Denied } from '../../look/denied';
import { PlainTable } from '../../look/plain-table';
import { saveAs } from '../../look/save-as';
import { useUnsaved } from '../../look/unsaved';
import { noteSaved, useLinks } from './links';
import { MOST } from './people-rows';
import { type Entry, type Outcome, useImport } from './use-import';

/** Creates accounts for the people in a file, after a preview. */
export default function ImportPage() {
  return (
    <CanAccess resource="users" action="create" accessDenied={<Denied />}>
      <Title title="verbatim.import.title" />
      <Import />
    </CanAccess>
  );
}

function Import() {
  const translate = useTranslate();
  const { entries, state, refusal, choose, run, stop } = useImport();
  const count = (...outcomes: Outcome['is'][]) => entries.filter(({ outcome }) => outcomes.includes(outcome.is)).length;
  const open = count('ready', 'failed');
  const { unsaved } = useLinks();
  const running = state === 'running';
  const dialog = useUnsaved(running || unsaved, running ? 'verbatim.unsaved.running' : 'verbatim.unsaved.links');
  return (
    <Card sx={{ mt: 2 }}>
      <CardContent>
        {dialog}
        <Typography color="textSecondary" sx={{ mb: 2, maxWidth: 720 }}>
          {translate('verbatim.import.lead', { most: MOST })}
        </Typography>
        <Stack direction="row" useFlexGap spacing={1} sx={{ flexWrap: 'wrap', mb: 2 }}>
          <FileButton disabled={state === 'looking' || state === 'running'} onChosen={choose} />
          {entries.length > 0 && !running && open > 0 && (
            <Button variant="contained" onClick={run}>
              {translate('verbatim.import.run', { smart_count: open })}
            </Button>
          )}
          {running && <Button onClick={stop}>{translate('verbatim.import.stop')}</Button>}
          <LinksButton />
        </Stack>
        {refusal && <Alert severity="error">{translate(refusal, { _: refusal })}</Alert>}
        {entries.length > 0 && (
          <>
            <Alert severity={count('wrong', 'failed') > 0 ? 'warning' : 'info'} role="status" sx={{ mb: 2 }}>
              {translate(state === 'ready' ? 'verbatim.import.would' : 'verbatim.import.did', {
                ready: open,
                made: count('made'),
                there: count('there'),
                wrong: count('wrong', 'failed'),
              })}
            </Alert>
            <Entries entries={entries} />
          </>
        )}
      </CardContent>
    </Card>
  );
}

function FileButton({ disabled, onChosen }: { disabled: boolean; onChosen(file: File): void }) {
  const translate = useTranslate();
  const input = useRef<HTMLInputElement>(null);
  const chosen = ({ target }: ChangeEvent<HTMLInputElement>) => {
    const file = target.files?.[0];
    // The same file can be chosen again after it was changed.
    target.value = '';
    if (file) onChosen(file);
  };
  return (
    <>
      <input ref={input} type="file" accept=".csv,text/csv" onChange={chosen} hidden />
      <Button variant="outlined" startIcon={<FileIcon />} disabled={disabled} onClick={() => input.current?.click()}>
        {translate('verbatim.import.choose')}
      </Button>
    </>
  );
}

/** The links are shown only now, so they are offered as soon as there is one; the file is made here, and sent nowhere. */
function LinksButton() {
  const translate = useTranslate();
  const { made, unsaved } = useLinks();
  if (made.size === 0) return null;
  const save = () => {
    saveAs(new Blob([csvHeader(['username', 'link']), ...[...made].map(csvLine)], { type: 'text/csv' }), 'links.csv');
    noteSaved();
  };
  return (
    <Button
      onClick={save}
      startIcon={<DownloadIcon />}
      variant={unsaved ? 'contained' : 'text'}
      color={unsaved ? 'warning' : 'primary'}
    >
      {translate('verbatim.import.links')}
    </Button>
  );
}

const colours = { wrong: 'error.main', failed: 'error.main', made: 'success.main' } as const;

function Entries({ entries }: { entries: readonly Entry[] }) {
  const translate = useTranslate();
  const fields = ['username', 'displayName', 'email', 'role'].map((field) =>
    translate(`resources.users.fields.${field}`),
  );
  return (
    <PlainTable
      label={translate('verbatim.import.title')}
      columns={[translate('verbatim.import.line'), ...fields, translate('verbatim.import.outcome')]}
      empty=""
    >
      {entries.map(({ line, username, wish, outcome }) => (
        <TableRow key={line}>
          <TableCell>{line}</TableCell>
          <TableCell>{username}</TableCell>
          <TableCell>{wish?.displayName}</TableCell>
          <TableCell>{wish?.email}</TableCell>
          <TableCell>{wish?.role && translate(`verbatim.role.${wish.role}`)}</TableCell>
          <TableCell sx={{ color: outcome.is in colours ? colours[outcome.is as keyof typeof colours] : undefined }}>
            {translate(`verbatim.import.is_${outcome.is}`)}
            {'reason' in outcome && `: ${translate(outcome.reason, { _: outcome.reason })}`}
          </TableCell>
        </TableRow>
      ))}
    </PlainTable>
  );
}
