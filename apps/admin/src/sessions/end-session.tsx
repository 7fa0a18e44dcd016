import LogoutIcon from '@mui/icons-material/Logout';
import type { LiveSession } from '@verbatim/protocol';
import { useNotify, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../look/confirmed-button';
import { client } from '../service/client';
import { useAct } from '../service/use-act';
import { useMoment } from '../words/region';

interface EndSessionProps {
  readonly userId: string;
  /** What the person is called. */
  readonly name: string;
  readonly session: Pick<LiveSession, 'id' | 'createdAt'>;
  onEnded(): void;
}

/** Ends one session of a person, once that is confirmed. */
export function EndSession({ userId, name, session, onEnded }: EndSessionProps) {
  const translate = useTranslate();
  const notify = useNotify();
  const since = useMoment()(session.createdAt);
  const { act, busy } = useAct(
    () => client.call('endSession', { params: { id: userId, sessionId: session.id } }),
    () => {
      notify('verbatim.session.ended', { type: 'success' });
      onEnded();
    },
  );
  return (
    <ConfirmedButton
      label="verbatim.session.end"
      name={translate('verbatim.session.end_of', { name, since })}
      icon={<LogoutIcon />}
      title={translate('verbatim.session.end_title', { name, since })}
      text={translate('verbatim.session.end_text')}
      takesAway
      busy={busy}
      onConfirmed={act}
    />
  );
}
