import LogoutIcon from '@mui/icons-material/Logout';
import type { LiveSession } from '@verbatim/protocol';
import { useNotify, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../look/confirmed-button';
import { client } from '../service/client';
import { useMoment } from '../words/region';

interface EndSessionProps {
  readonly userId: string;
  /** What the person is called. */
  readonly name: string;
  readonly session: Pick<LiveSession, 'id' | 'createdAt'>;
}

/** Ends one session of a person, once that is confirmed. */
export function EndSession({ userId, name, session }: EndSessionProps) {
  const translate = useTranslate();
  const notify = useNotify();
  const since = useMoment()(session.createdAt);
  return (
    <ConfirmedButton
      label="verbatim.session.end"
      name={translate('verbatim.session.end_of', { name, since })}
      icon={<LogoutIcon />}
      title={translate('verbatim.session.end_title', { name, since })}
      text={translate('verbatim.session.end_text')}
      takesAway
      perform={(options) => client.call('endSession', { params: { id: userId, sessionId: session.id } }, options)}
      onDone={() => notify('verbatim.session.ended', { type: 'success' })}
    />
  );
}
