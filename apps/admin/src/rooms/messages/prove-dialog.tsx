import {
  Alert,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogContentText,
  DialogTitle,
  LinearProgress,
  Typography,
} from '@mui/material';
import { useMutation } from '@tanstack/react-query';
import type { MessageProof } from '@verbatim/protocol';
import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslate } from 'react-admin';
import { ReasonInput } from '../../look/ask-dialog';
import { Failure } from '../../look/failure';
import { KeepText } from '../../look/keep-text';
import { client } from '../../service/client';
import { codeOf, shown } from '../../service/failure';
import { KeysElsewhere, useKeyOptions } from '../../transparency/verifier-keys';
import { isolated } from '../../words/isolated';
import { why } from '../reasons';

/** The message to prove. */
export interface Provable {
  readonly id: string;
  /** The name of its author. */
  readonly name: string;
  readonly text: string | null;
  /** The event to prove; absent: the one that produced the present text. */
  readonly revision?: number;
}

/**
 * Proves this message to others. Readers from outside the room give a reason first: each proof
 * is recorded on its own.
 */
export function ProveDialog({ room, message, onEnd }: { room: string; message: Provable; onEnd(): void }) {
  const translate = useTranslate();
  const id = useId();
  const { prove, proof, busy, error } = useProof(room, message);
  const asksWhy = useAsksWhy(room, error);
  return (
    <Dialog open onClose={onEnd} fullWidth maxWidth="sm" aria-labelledby={id}>
      <DialogTitle id={id}>{translate('verbatim.message_proof.title', { name: isolated(message.name) })}</DialogTitle>
      <DialogContent>
        <Quote>{message.text}</Quote>
        {proof ? (
          <Proved proof={proof} />
        ) : (
          <Ask room={room} asksWhy={asksWhy} busy={busy} failed={error !== null} onAsk={prove} />
        )}
        {busy && <LinearProgress aria-label={translate('verbatim.ask.busy')} />}
        {codeOf(error) !== 'reason_required' && <Failure error={error} meanings={meanings} sx={{ mt: 1 }} />}
      </DialogContent>
      <DialogActions>
        <Button onClick={onEnd} autoFocus={!asksWhy}>
          {translate(proof ? 'verbatim.close' : 'verbatim.cancel')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

const meanings = { unavailable: 'verbatim.message_proof.not_covered' };

function Quote({ children }: { children: string | null }) {
  if (!children) return null;
  return (
    <Typography
      component="blockquote"
      dir="auto"
      sx={{ mb: 2, mx: 0, px: 2, borderInlineStart: '3px solid', borderColor: 'divider', overflowWrap: 'anywhere' }}
    >
      {children.slice(0, 300)}
    </Typography>
  );
}

/** Members are asked nothing, so the proof is fetched at once. */
function Ask(props: { room: string; asksWhy: boolean; busy: boolean; failed: boolean; onAsk(reason?: string): void }) {
  const { room, asksWhy, busy, failed, onAsk } = props;
  const translate = useTranslate();
  const [reason, setReason] = useState(why(room).reason ?? '');
  const atOnce = useRef(!asksWhy);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the dialog opens
  useEffect(() => {
    if (atOnce.current) onAsk();
    atOnce.current = false;
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) onAsk(asksWhy ? reason.trim() : undefined);
  };
  if (!asksWhy && !failed) return null;
  return (
    <Box component="form" onSubmit={submit} sx={{ mb: 1 }}>
      {asksWhy && (
        <>
          <DialogContentText>{translate('verbatim.message_proof.why')}</DialogContentText>
          <ReasonInput value={reason} help="verbatim.message_proof.reason_help" onChange={setReason} />
        </>
      )}
      <Button type="submit" variant="contained" disabled={busy || (asksWhy && !reason.trim())}>
        {translate('verbatim.message_proof.get')}
      </Button>
    </Box>
  );
}

function Proved({ proof }: { proof: MessageProof }) {
  const translate = useTranslate();
  const keys = useKeyOptions('checkpoints');
  const { revision, ordinal, key } = proof;
  return (
    <>
      <Typography role="status">{translate('verbatim.message_proof.ready', { revision, ordinal })}</Typography>
      <Alert severity={key === null ? 'info' : 'warning'} sx={{ my: 1 }}>
        {translate(key === null ? 'verbatim.message_proof.without_text' : 'verbatim.message_proof.opens')}
      </Alert>
      <KeepText
        label={translate('verbatim.message_proof.label')}
        text={JSON.stringify(proof, null, 2)}
        fileName={`message-proof-${ordinal}.json`}
        autoFocus
      />
      <Typography variant="h2" sx={{ mt: 2 }}>
        {translate('verbatim.evidence.how')}
      </Typography>
      <DialogContentText>{translate('verbatim.message_proof.how')}</DialogContentText>
      <KeepText
        label={translate('verbatim.evidence.command')}
        text={`npm run cli -- audit check message-proof-${ordinal}.json ${keys}`}
      />
      <KeysElsewhere />
    </>
  );
}

/** Whether a reason is needed: it was to read the room, or the service says so now. */
function useAsksWhy(room: string, error: unknown): boolean {
  return why(room).reason !== undefined || codeOf(error) === 'reason_required';
}

/** Asks for the proof once for each time that it is wanted, since each is recorded; gives up when the dialog is left. */
function useProof(room: string, { id: messageId, revision }: Provable) {
  const leaving = useRef<AbortController | null>(null);
  const { mutate, data, isPending, error } = useMutation({
    mutationFn: (reason: string | undefined) => {
      leaving.current = new AbortController();
      const { signal } = leaving.current;
      const options = { signal, deadlineMs: 30_000, ...(reason !== undefined && { reason }) };
      return shown(client.call('proveMessage', { params: { id: room, messageId }, query: { revision } }, options));
    },
  });
  useEffect(() => () => leaving.current?.abort(), []);
  return { prove: mutate, proof: data, busy: isPending, error };
}
