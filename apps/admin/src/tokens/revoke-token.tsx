import RevokeIcon from '@mui/icons-material/Block';
import type { Token } from '@verbatim/protocol';
import { useNotify, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../look/confirmed-button';
import { client } from '../service/client';

interface RevokeTokenProps {
  readonly userId: string;
  /** The name of the person or bot. */
  readonly owner: string;
  readonly token: Pick<Token, 'id' | 'name'>;
}

/** Revokes one token of a person or bot, once that is confirmed. */
export function RevokeToken({ userId, owner, token: { id, name } }: RevokeTokenProps) {
  const translate = useTranslate();
  const notify = useNotify();
  return (
    <ConfirmedButton
      label="verbatim.token.revoke"
      name={translate('verbatim.token.revoke_it', { name, owner })}
      icon={<RevokeIcon />}
      title={translate('verbatim.token.revoke_title', { name, owner })}
      text={translate('verbatim.token.revoke_text')}
      takesAway
      perform={(options) => client.call('revokeTokenOf', { params: { id: userId, tokenId: id } }, options)}
      onDone={() => notify('verbatim.token.revoked', { type: 'success', messageArgs: { name } })}
    />
  );
}
