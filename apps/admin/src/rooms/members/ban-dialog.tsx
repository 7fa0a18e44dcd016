import { useState } from 'react';
import { useNotify, useTranslate } from 'react-admin';
import { AskDialog, ReasonInput } from '../../look/ask-dialog';
import { type Cancellable, useAction } from '../../look/use-action';
import { client } from '../../service/client';
import { instantOf, type Until, UntilInput } from './until-input';

export interface PersonToRestrain {
  readonly id: string;
  readonly name: string;
}

interface RestraintProps {
  /** Id of the room. */
  readonly room: string;
  readonly person: PersonToRestrain;
  onEnd(): void;
}

/** Puts a person out of the room and keeps them out. */
export function BanDialog({ room, person, onEnd }: RestraintProps) {
  const put: Put = (options, until, reason) =>
    client.call('ban', { params: { id: room, userId: person.id }, body: { until, reason } }, options);
  return <RestrainDialog what="ban" person={person} endless put={put} onEnd={onEnd} />;
}

/** Keeps a member from speaking for a time. */
export function MuteDialog({ room, person, onEnd }: RestraintProps) {
  const put: Put = (options, until, reason) =>
    client.call('mute', { params: { id: room, userId: person.id }, body: { until: until ?? '', reason } }, options);
  return <RestrainDialog what="mute" person={person} put={put} onEnd={onEnd} />;
}

type Put = (options: Cancellable, until: string | null, reason: string | null) => Promise<unknown>;

interface RestrainDialogProps extends Omit<RestraintProps, 'room'> {
  readonly what: 'ban' | 'mute';
  readonly endless?: boolean;
  readonly put: Put;
}

function RestrainDialog({ what, person: { name }, endless, put, onEnd }: RestrainDialogProps) {
  const translate = useTranslate();
  const notify = useNotify();
  const [reason, setReason] = useState('');
  const [until, setUntil] = useState<Until>(endless ? 'forever' : 'day');
  const end = instantOf(until);
  const { act, busy, error } = useAction(
    (options, instant: string | null) => put(options, instant, reason.trim() || null),
    () => {
      notify(`verbatim.restraints.${what}_done`, { messageArgs: { name } });
      onEnd();
    },
  );
  return (
    <AskDialog
      title={translate(`verbatim.restraints.${what}_title`, { name })}
      text={translate(`verbatim.restraints.${what}_text`)}
      action={translate(`verbatim.restraints.${what}`)}
      color="error"
      ready={end !== undefined}
      busy={busy}
      error={error}
      onSubmit={() => end !== undefined && act(end)}
      onEnd={onEnd}
    >
      <ReasonInput value={reason} onChange={setReason} />
      <UntilInput value={until} endless={endless} onChange={setUntil} />
    </AskDialog>
  );
}
