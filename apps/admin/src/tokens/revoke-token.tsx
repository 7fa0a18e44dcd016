import RevokeIcon from '@mui/icons-material/Block';
import type { Token } from '@verbatim/protocol';
import { useNotify, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../look/confirmed-button';
import { client } from '../service/client';
import { useAct } from '../service/use-act';

interface RevokeTokenProps {
  readonly userId: string;
  /** What the person or bot is called. */
  readonly owner: string;
  readonly token: Pick<Token, 'id' | 'name'>;
  onRevoked(): void;
}

/** Revokes one token of a person or bot, once that is confirmed. */
export function RevokeToken({ userId, owner, token: { id, name }, onRevoked }: RevokeTokenProps) {
  const translate = useTranslate();
  const notify = useNotify();
  const { act, busy } = useAct(
    () => client.call('revokeTokenOf', { params: { id: userId, tokenId: id } }),
    () => {
      notify('verbatim.token.revoked', { type: 'success', messageArgs: { name } });
      onRevoked();
    },
  );
  return (
    <ConfirmedButton
      label="verbatim.token.revoke"
      name={translate('verbatim.token.revoke_it', { name, owner })}
      icon={<RevokeIcon />}
      title={translate('verbatim.token.revoke_title', { name, owner })}
      text={translate('verbatim.token.revoke_text')}
      takesAway
      busy={busy}
      onConfirmed={act}
    />
  );
}
