import RevokeIcon from '@mui/icons-material/Block';
import { TableCell, TableRow, Typography } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Token } from '@verbatim/protocol';
import { useNotify, useTranslate } from 'react-admin';
import { ConfirmedButton } from '../look/confirmed-button';
import { Failure } from '../look/failure';
import { Moment } from '../look/moment';
import { PlainTable } from '../look/plain-table';
import { client } from '../service/client';
import { shown } from '../service/failure';
import { LOOK_AGAIN } from '../service/look-again';
import { MakeToken } from '../users/person/make-token';

/** Your own personal tokens, with which programs act for you. */
export function OwnTokens() {
  const translate = useTranslate();
  const { data, error } = useQuery({
    queryKey: ['my tokens'],
    queryFn: () => shown(client.call('listTokens')),
    refetchInterval: LOOK_AGAIN,
  });
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const columns = ['name', 'scopes', 'created', 'expires', 'last_used'].map((one) =>
    translate(`verbatim.token.${one}`),
  );
  return (
    <>
      <Typography color="textSecondary" sx={{ mb: 1 }}>
        {translate('verbatim.own.tokens_text')}
      </Typography>
      <MakeToken holder="me" />
      <PlainTable
        label={translate('verbatim.person.tokens')}
        columns={[...columns, translate('verbatim.actions')]}
        empty={translate('verbatim.own.no_tokens')}
      >
        {data.items.map((token) => (
          <TokenRow key={token.id} token={token} />
        ))}
      </PlainTable>
    </>
  );
}

function TokenRow({ token: { id, name, scopes, createdAt, expiresAt, lastUsedAt } }: { token: Token }) {
  const translate = useTranslate();
  const notify = useNotify();
  const expired = expiresAt !== null && Date.parse(expiresAt) < Date.now();
  return (
    <TableRow>
      <TableCell sx={{ overflowWrap: 'anywhere', minWidth: 120 }}>
        <bdi>{name}</bdi>
      </TableCell>
      <TableCell>{scopes.map((scope) => translate(`verbatim.scope.${scope}`)).join(', ')}</TableCell>
      <TableCell>
        <Moment at={createdAt} />
      </TableCell>
      <TableCell>
        {expiresAt === null ? translate('verbatim.token.never') : <Moment at={expiresAt} />}
        {expired && ` (${translate('verbatim.token.expired')})`}
      </TableCell>
      <TableCell>{lastUsedAt === null ? translate('verbatim.token.unused') : <Moment at={lastUsedAt} />}</TableCell>
      <TableCell>
        <ConfirmedButton
          label="verbatim.token.revoke"
          name={translate('verbatim.own.revoke', { name })}
          icon={<RevokeIcon />}
          title={translate('verbatim.own.revoke_title', { name })}
          text={translate('verbatim.token.revoke_text')}
          takesAway
          perform={(options) => client.call('revokeToken', { params: { id } }, options)}
          onDone={() => notify('verbatim.token.revoked', { type: 'success', messageArgs: { name } })}
        />
      </TableCell>
    </TableRow>
  );
}
