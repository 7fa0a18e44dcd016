import { Button, Card, CardActions, CardContent, Chip, Stack, Typography } from '@mui/material';
import type { Webhook } from '@verbatim/protocol';
import { useState } from 'react';
import { ReferenceField, useNotify, useTranslate } from 'react-admin';
import { AskDialog } from '../../look/ask-dialog';
import { Fact, Facts } from '../../look/facts';
import { Moment } from '../../look/moment';
import { type Cancellable, useAction } from '../../look/use-action';
import { client } from '../../service/client';

interface WebhookCardProps {
  readonly webhook: Webhook;
  readonly mayChange: boolean;
  /** Is given a new signing secret, to be shown once. */
  onSecret(secret: string): void;
}

/** One outgoing webhook, and how its deliveries go. */
export function WebhookCard({ webhook, mayChange, onSecret }: WebhookCardProps) {
  const translate = useTranslate();
  const { active, stopped, url } = webhook;
  const name = url ?? translate('verbatim.webhooks.lost');
  return (
    <Card component="article" aria-label={name}>
      <CardContent>
        <Stack direction="row" spacing={1} sx={{ alignItems: 'start', justifyContent: 'space-between' }}>
          <Typography component="h3" sx={{ fontWeight: 600, overflowWrap: 'anywhere' }}>
            {name}
          </Typography>
          <Chip
            size="small"
            variant="outlined"
            color={active ? 'success' : stopped === 'paused' ? 'default' : 'error'}
            label={translate(`verbatim.webhook_state.${stopped ?? 'active'}`)}
          />
        </Stack>
        <Deliveries webhook={webhook} />
      </CardContent>
      {mayChange && (
        <CardActions sx={{ flexWrap: 'wrap' }}>
          <PauseOrResume webhook={webhook} />
          <Rotate webhook={webhook} name={name} onSecret={onSecret} />
          <Remove webhook={webhook} name={name} />
        </CardActions>
      )}
    </Card>
  );
}

function Deliveries({ webhook }: { webhook: Webhook }) {
  const translate = useTranslate();
  const { lastSuccessAt, lastAttemptAt, lastStatus, lastError, behind, nextAttemptAt } = webhook.deliveries;
  const never = translate('verbatim.webhooks.never');
  return (
    <Facts>
      <Fact label="verbatim.webhooks.events">{webhook.events.join(', ')}</Fact>
      <Fact label="verbatim.webhooks.owner">
        <ReferenceField record={webhook} source="owner" reference="users" link="show" />
      </Fact>
      <Fact label="verbatim.webhooks.last_success">{lastSuccessAt ? <Moment at={lastSuccessAt} /> : never}</Fact>
      <Fact label="verbatim.webhooks.last_attempt">
        {lastAttemptAt ? <Moment at={lastAttemptAt} /> : never} {lastError ?? lastStatus}
      </Fact>
      {nextAttemptAt && (
        <Fact label="verbatim.webhooks.next_attempt">
          <Moment at={nextAttemptAt} />
        </Fact>
      )}
      <Fact label="verbatim.webhooks.behind">{behind}</Fact>
    </Facts>
  );
}

/** Each undoes the other, so nothing is asked. */
function PauseOrResume({ webhook: { id: webhookId, roomId: id, active } }: { webhook: Webhook }) {
  const translate = useTranslate();
  const notify = useNotify();
  const { act, busy } = useAction(
    (options) => client.call('changeWebhook', { params: { id, webhookId }, body: { active: !active } }, options),
    () => notify(active ? 'verbatim.webhooks.pause_done' : 'verbatim.webhooks.resume_done'),
    'notify failures',
  );
  return (
    <Button disabled={busy} onClick={() => act()}>
      {translate(active ? 'verbatim.webhooks.pause' : 'verbatim.webhooks.resume')}
    </Button>
  );
}

function Rotate({ webhook, name, onSecret }: { webhook: Webhook; name: string; onSecret(secret: string): void }) {
  const { id: webhookId, roomId: id } = webhook;
  const rotate = (options: Cancellable) => client.call('rotateWebhookSecret', { params: { id, webhookId } }, options);
  const typed = hostOf(webhook);
  return (
    <Asked
      of="rotate"
      name={name}
      typed={typed}
      color="warning"
      perform={rotate}
      onDone={(it) => onSecret(it.secret)}
    />
  );
}

function Remove({ webhook, name }: { webhook: Webhook; name: string }) {
  const notify = useNotify();
  const { id: webhookId, roomId: id } = webhook;
  const remove = (options: Cancellable) => client.call('removeWebhook', { params: { id, webhookId } }, options);
  const done = () => notify('verbatim.webhooks.remove_done');
  return <Asked of="remove" name={name} typed={hostOf(webhook)} color="error" perform={remove} onDone={done} />;
}

interface AskedProps<A> {
  readonly of: 'rotate' | 'remove';
  readonly name: string;
  readonly typed: string | undefined;
  readonly color: 'warning' | 'error';
  perform(options: Cancellable): Promise<A>;
  onDone(answer: A): void;
}

/** A button for an action that cannot be undone, with confirmation. */
function Asked<A>({ of, name, typed, color, perform, onDone }: AskedProps<A>) {
  const translate = useTranslate();
  const [asking, setAsking] = useState(false);
  const { act, busy, error, cancel } = useAction(perform, (answer: A) => {
    setAsking(false);
    onDone(answer);
  });
  const end = () => {
    setAsking(false);
    cancel();
  };
  return (
    <>
      <Button color={color === 'error' ? 'error' : 'primary'} onClick={() => setAsking(true)}>
        {translate(`verbatim.webhooks.${of}`)}
      </Button>
      {asking && (
        <AskDialog
          title={translate(`verbatim.webhooks.${of}_title`, { name })}
          text={translate(`verbatim.webhooks.${of}_text`)}
          action={translate(`verbatim.webhooks.${of}`)}
          color={color}
          typed={typed}
          busy={busy}
          error={error}
          onSubmit={() => act()}
          onEnd={end}
        />
      )}
    </>
  );
}

/** The text to type as confirmation; empty if the URL is lost. */
const hostOf = ({ url }: Webhook): string | undefined => (url && URL.canParse(url) ? new URL(url).host : undefined);
