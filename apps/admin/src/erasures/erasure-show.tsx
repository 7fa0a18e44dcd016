import { Alert, Box, LinearProgress, Step, StepLabel, Stepper, Typography } from '@mui/material';
import type { Erasure } from '@verbatim/protocol';
import { Link, Show, useRecordContext, useTranslate } from 'react-admin';
import { Fact, Facts } from '../look/facts';
import { Found } from '../look/found';
import { KeepText } from '../look/keep-text';
import { Moment } from '../look/moment';
import { LOOK_AGAIN } from '../service/look-again';
import { liveRecord } from '../service/queries';
import { KeysElsewhere, useKeyOptions } from '../transparency/verifier-keys';
import { StatusOf } from './erasure-list';
import { HeldBy } from './held-by';
import { ScopeOf } from './scope-of';

/** Milliseconds between two looks while it is under way. */
const OFTEN_MS = 2_000;

/** What waits for a hold may do so for years: like other pages, it is reloaded when there is news. */
const closely = {
  ...liveRecord,
  refetchInterval: ({ state }: { state: { data?: { status?: string } | undefined } }) =>
    ['queued', 'running'].includes(state.data?.status ?? '') ? OFTEN_MS : LOOK_AGAIN(),
};

/** One erasure: how far it is, what holds it up, and its certificate. */
export default function ErasureShow() {
  return (
    <Show title="verbatim.erasures.one" actions={false} queryOptions={closely as object}>
      <Found missing="verbatim.erasures.missing">
        <Whole />
      </Found>
    </Show>
  );
}

function Whole() {
  const erasure = useRecordContext<Erasure>();
  const translate = useTranslate();
  if (!erasure) return null;
  const { scope, ground, reason, by, certificate } = erasure;
  return (
    <Box sx={{ p: 2 }}>
      <Progress erasure={erasure} />
      <HeldBy holds={erasure.heldBy} />
      <Facts>
        <Fact label="resources.erasures.fields.status">
          <StatusOf erasure={erasure} />
        </Fact>
        <Fact label="resources.erasures.fields.scope">
          <ScopeOf scope={scope} />
        </Fact>
        {scope.message && <Fact label="resources.erasures.fields.message">{scope.message}</Fact>}
        <Fact label="resources.erasures.fields.ground">{translate(`verbatim.ground.${ground}`)}</Fact>
        <Fact label="resources.erasures.fields.reason">
          <bdi>{reason ?? '–'}</bdi>
        </Fact>
        <Fact label="resources.erasures.fields.by">
          {by ? <Link to={`/users/${by.id}/show`}>{by.username || '–'}</Link> : translate('verbatim.erasures.by_rule')}
        </Fact>
      </Facts>
      {certificate && <Certificate id={erasure.id} text={certificate} />}
    </Box>
  );
}

/** The steps that are behind it, each with its time. How many texts are left to do is not known to the service. */
function Progress({ erasure: { status, requestedAt, beganAt, finishedAt } }: { erasure: Erasure }) {
  const translate = useTranslate();
  const steps = [
    { step: 'requested', at: requestedAt },
    { step: 'hidden', at: beganAt },
    { step: 'destroyed', at: finishedAt },
  ];
  const done = steps.filter(({ at }) => at !== null).length;
  return (
    <Box sx={{ mb: 2 }}>
      <Stepper orientation="vertical" activeStep={status === 'held' ? -1 : done} connector={null}>
        {steps.map(({ step, at }) => (
          <Step key={step} completed={at !== null}>
            <StepLabel optional={at && <Moment at={at} variant="caption" color="textSecondary" />}>
              {translate(`verbatim.erasures.step_${step}`)}
            </StepLabel>
          </Step>
        ))}
      </Stepper>
      <Box role="status">
        {(status === 'running' || status === 'queued') && (
          <>
            <LinearProgress aria-label={translate(`verbatim.erasure_status.${status}`)} sx={{ my: 1 }} />
            <Typography color="textSecondary">{translate(`verbatim.erasures.is_${status}`)}</Typography>
          </>
        )}
        {status === 'done' && <Alert severity="success">{translate('verbatim.erasures.is_done')}</Alert>}
      </Box>
    </Box>
  );
}

function Certificate({ id, text }: { id: string; text: string }) {
  const translate = useTranslate();
  const keys = useKeyOptions('certificates');
  const name = `erasure-${id}.txt`;
  return (
    <Box component="section" aria-labelledby="certificate" sx={{ mt: 3 }}>
      <Typography id="certificate" variant="h2">
        {translate('verbatim.erasures.certificate')}
      </Typography>
      <Typography color="textSecondary">{translate('verbatim.erasures.certificate_text')}</Typography>
      <KeepText label={translate('verbatim.erasures.certificate')} text={text} fileName={name} />
      <Typography variant="h2">{translate('verbatim.evidence.how')}</Typography>
      <Typography color="textSecondary">{translate('verbatim.erasures.how')}</Typography>
      <KeepText label={translate('verbatim.evidence.command')} text={`npm run cli -- audit check ${name} ${keys}`} />
      <KeysElsewhere />
    </Box>
  );
}
