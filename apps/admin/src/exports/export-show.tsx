import DownloadIcon from '@mui/icons-material/Download';
import { Alert, Box, Button, LinearProgress, Typography } from '@mui/material';
import { Show, useRecordContext, useTranslate } from 'react-admin';
import { useNumber } from '../home/figure';
import { Fact, Facts } from '../look/facts';
import { Found } from '../look/found';
import { KeepText } from '../look/keep-text';
import { Moment } from '../look/moment';
import { saveAs } from '../look/save-as';
import { useAction } from '../look/use-action';
import { fileFrom } from '../service/file';
import { LOOK_AGAIN } from '../service/look-again';
import { liveRecord } from '../service/queries';
import { KeysElsewhere, useKeyOptions } from '../transparency/verifier-keys';
import { StatusOf } from './export-list';
import type { Export } from './exports-source';
import { Wanted } from './wanted';

/** Milliseconds between two looks while it is under way. */
const OFTEN_MS = 2_000;

const closely = {
  ...liveRecord,
  refetchInterval: ({ state }: { state: { data?: { status?: string } | undefined } }) =>
    ['queued', 'running'].includes(state.data?.status ?? '') ? OFTEN_MS : LOOK_AGAIN(),
};

/** One export: how far it is, the bundle, and how others check it. */
export default function ExportShow() {
  return (
    <Show title="verbatim.exports.one" actions={false} queryOptions={closely as object}>
      <Found missing="verbatim.exports.missing">
        <Whole />
      </Found>
    </Show>
  );
}

function Whole() {
  const one = useRecordContext<Export>();
  const number = useNumber();
  if (!one) return null;
  const { reason, requestedAt, events, bytes, expiresAt } = one;
  return (
    <Box sx={{ p: 2 }}>
      <Progress of={one} />
      <Facts>
        <Fact label="resources.exports.fields.status">
          <StatusOf of={one} />
        </Fact>
        <Fact label="resources.exports.fields.wanted">
          <Wanted of={one} />
        </Fact>
        <Fact label="resources.exports.fields.reason">
          <bdi>{reason}</bdi>
        </Fact>
        <Fact label="resources.exports.fields.requestedAt">
          <Moment at={requestedAt} />
        </Fact>
        <Fact label="resources.exports.fields.events">{number(events)}</Fact>
        {bytes !== null && <Fact label="resources.exports.fields.bytes">{number(bytes)}</Fact>}
        {expiresAt && (
          <Fact label="resources.exports.fields.expiresAt">
            <Moment at={expiresAt} />
          </Fact>
        )}
      </Facts>
      {one.status === 'done' && <Bundle id={one.id} />}
    </Box>
  );
}

function Progress({ of: { status, progress, problem } }: { of: Export }) {
  const translate = useTranslate();
  const number = useNumber();
  const { done, total } = progress;
  const share = total ? { variant: 'determinate' as const, value: Math.min(100, (100 * done) / total) } : {};
  const sentence = translate('verbatim.exports.so_far', { done: number(done), total: number(total ?? undefined) });
  return (
    <Box role="status" sx={{ mb: 2 }}>
      {status === 'queued' && <Typography>{translate('verbatim.exports.is_queued')}</Typography>}
      {status === 'running' && <Typography>{sentence}</Typography>}
      {(status === 'queued' || status === 'running') && (
        <LinearProgress {...share} aria-label={translate(`verbatim.export_status.${status}`)} sx={{ mt: 1 }} />
      )}
      {status === 'failed' && (
        <Alert severity="error">
          {translate('verbatim.exports.is_failed')} {problem}
        </Alert>
      )}
      {status === 'done' && <Alert severity="success">{translate('verbatim.exports.is_done')}</Alert>}
    </Box>
  );
}

function Bundle({ id }: { id: string }) {
  const translate = useTranslate();
  const keys = useKeyOptions('all');
  const name = `export-${id}.tar`;
  const { act, busy } = useAction(
    ({ signal }) => fileFrom(`/v1/exports/${id}/bundle`, {}, signal, 'application/x-tar'),
    (file) => saveAs(file, name),
    'notify failures',
  );
  return (
    <Box component="section" sx={{ mt: 2 }}>
      <Button variant="contained" startIcon={<DownloadIcon />} onClick={() => act()} disabled={busy}>
        {translate('verbatim.exports.download')}
      </Button>
      {busy && <LinearProgress aria-label={translate('verbatim.exports.download')} sx={{ mt: 1 }} />}
      <Typography variant="h2" sx={{ mt: 3 }}>
        {translate('verbatim.evidence.how')}
      </Typography>
      <Typography color="textSecondary">{translate('verbatim.exports.how')}</Typography>
      <KeepText label={translate('verbatim.evidence.command')} text={`npm run cli -- verify ${name} ${keys}`} />
      <KeysElsewhere />
    </Box>
  );
}
