import { TableCell, TableRow } from '@mui/material';
import { useQuery } from '@tanstack/react-query';
import type { Token, User } from '@verbatim/protocol';
import { useCanAccess, useRecordContext, useTranslate } from 'react-admin';
import { Failure } from '../../look/failure';
import { PlainTable } from '../../look/plain-table';
import { client } from '../../service/client';
import { shown } from '../../service/failure';
import { LOOK_AGAIN } from '../../service/look-again';
import { RevokeToken } from '../../tokens/revoke-token';
import { useMoment } from '../../words/region';
import { nameOf } from '../name-of';
import { MakeToken } from './make-token';

/** The personal tokens of a person or bot. Administrators revoke them, and make those of bots. */
export function TokensTab() {
  const user = useRecordContext<User>();
  return user ? <Tokens key={user.id} user={user} /> : null;
}

const keyOf = (id: string) => ['tokens of', id];

function Tokens({ user }: { user: User }) {
  const translate = useTranslate();
  const { canAccess } = useCanAccess({ resource: 'users', action: 'edit' });
  const { data, error } = useQuery({
    queryKey: keyOf(user.id),
    queryFn: () => shown(client.call('listTokensOf', { params: { id: user.id } })),
    refetchInterval: LOOK_AGAIN,
  });
  if (error) return <Failure error={error} />;
  if (!data) return null;
  const columns = ['name', 'scopes', 'created', 'expires', 'last_used'].map((one) =>
    translate(`verbatim.token.${one}`),
  );
  return (
    <>
      {canAccess && user.bot && <MakeToken holder={user} />}
      <PlainTable
        label={translate('verbatim.person.tokens')}
        columns={canAccess ? [...columns, translate('verbatim.actions')] : columns}
        empty={translate(user.bot ? 'verbatim.token.none_of_bot' : 'verbatim.token.none')}
      >
        {data.items.map((token) => (
          <TokenRow key={token.id} user={user} token={token} mayRevoke={canAccess === true} />
        ))}
      </PlainTable>
    </>
  );
}

interface TokenRowProps {
  readonly user: User;
  readonly token: Token;
  readonly mayRevoke: boolean;
}

function TokenRow({ user, token, mayRevoke }: TokenRowProps) {
  const translate = useTranslate();
  const moment = useMoment();
  const { name, scopes, createdAt, expiresAt, lastUsedAt } = token;
  const expired = expiresAt !== null && Date.parse(expiresAt) < Date.now();
  return (
    <TableRow>
      <TableCell>{name}</TableCell>
      <TableCell>{scopes.map((scope) => translate(`verbatim.scope.${scope}`)).join(', ')}</TableCell>
      <TableCell>{moment(createdAt)}</TableCell>
      <TableCell>
        {expiresAt === null ? translate('verbatim.token.never') : moment(expiresAt)}
        {expired && ` (${translate('verbatim.token.expired')})`}
      </TableCell>
      <TableCell>{lastUsedAt === null ? translate('verbatim.token.unused') : moment(lastUsedAt)}</TableCell>
      {mayRevoke && (
        <TableCell>
          <RevokeToken userId={user.id} owner={nameOf(user)} token={token} />
        </TableCell>
      )}
    </TableRow>
  );
}
