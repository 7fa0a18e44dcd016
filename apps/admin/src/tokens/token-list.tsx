import AddIcon from '@mui/icons-material/Add';
import BotsIcon from '@mui/icons-material/SmartToyOutlined';
import { type Theme, Typography, useMediaQuery } from '@mui/material';
import type { OwnedToken } from '@verbatim/protocol';
import {
  Button,
  DataTable,
  Link,
  List,
  SelectInput,
  SimpleList,
  TopToolbar,
  useCanAccess,
  useListContext,
  useTranslate,
} from 'react-admin';
import { Moment } from '../look/moment';
import { Still } from '../look/still';
import { liveList } from '../service/queries';
import { byPerson, PersonLink } from '../users/by-person';
import { botChoices } from '../users/user-fields';
import { RevokeToken } from './revoke-token';

const filters = [byPerson, <SelectInput key="bot" source="bot" choices={botChoices} alwaysOn />];

const allBots = `/users?filter=${encodeURIComponent(JSON.stringify({ bot: 'true' }))}`;

const Column = DataTable.Col<OwnedToken>;

/** All tokens that are good, the latest first. Administrators revoke them; bots are made on the page of new people. */
export default function TokenList() {
  const translate = useTranslate();
  return (
    <List filters={filters} actions={<Actions />} empty={false} perPage={25} exporter={false} queryOptions={liveList}>
      <Typography color="textSecondary" sx={{ p: 2 }}>
        {translate('verbatim.token.lead')}
      </Typography>
      <Still>
        <Tokens />
      </Still>
    </List>
  );
}

function Actions() {
  const { canAccess: mayMake } = useCanAccess({ resource: 'users', action: 'create' });
  return (
    <TopToolbar sx={{ flexWrap: { xs: 'wrap', sm: 'nowrap' } }}>
      <Button component={Link} to={allBots} label="verbatim.token.all_bots">
        <BotsIcon />
      </Button>
      {mayMake && (
        <Button component={Link} to="/users/create?kind=bot" label="verbatim.token.new_bot" variant="contained">
          <AddIcon />
        </Button>
      )}
    </TopToolbar>
  );
}

function Tokens() {
  const translate = useTranslate();
  const narrow = useMediaQuery((theme: Theme) => theme.breakpoints.down('sm'));
  const { canAccess: mayRevoke } = useCanAccess({ resource: 'tokens', action: 'edit' });
  const scopesOf = ({ scopes }: OwnedToken) => scopes.map((scope) => translate(`verbatim.scope.${scope}`)).join(', ');
  if (narrow) {
    return (
      <SimpleList<OwnedToken>
        primaryText={(token) => (
          <>
            {token.name}, <Owner token={token} />
          </>
        )}
        secondaryText={(token) => (
          <>
            {scopesOf(token)}; {translate('verbatim.token.expires')}: <Time at={token.expiresAt} none="never" />
          </>
        )}
        tertiaryText={(token) => mayRevoke && <Revoke token={token} />}
        rowClick={false}
        empty={<Nothing />}
        sx={{ '& .RaSimpleList-tertiary': { opacity: 1 } }}
      />
    );
  }
  return (
    <DataTable<OwnedToken> bulkActionButtons={false} rowClick={false} empty={<Nothing />}>
      <Column source="user" disableSort render={(token) => <Owner token={token} />} />
      <Column source="name" disableSort />
      <Column source="scopes" disableSort render={scopesOf} />
      <Column source="createdAt" disableSort render={({ createdAt }) => <Moment at={createdAt} />} />
      <Column source="expiresAt" disableSort render={({ expiresAt }) => <Time at={expiresAt} none="never" />} />
      <Column source="lastUsedAt" disableSort render={({ lastUsedAt }) => <Time at={lastUsedAt} none="unused" />} />
      {mayRevoke && (
        <Column source="id" label="verbatim.actions" disableSort render={(one) => <Revoke token={one} />} />
      )}
    </DataTable>
  );
}

function Owner({ token: { user, bot } }: { token: OwnedToken }) {
  const translate = useTranslate();
  return (
    <>
      <PersonLink person={user} tab="tokens" />
      {bot && ` (${translate('verbatim.kind.bot')})`}
    </>
  );
}

function Time({ at, none }: { at: string | null; none: 'never' | 'unused' }) {
  const translate = useTranslate();
  return at === null ? translate(`verbatim.token.${none}`) : <Moment at={at} />;
}

function Revoke({ token }: { token: OwnedToken }) {
  const { user } = token;
  return <RevokeToken userId={user.id} owner={user.username} token={token} />;
}

function Nothing() {
  const translate = useTranslate();
  const { filterValues } = useListContext();
  const filtered = Object.values(filterValues).some(Boolean);
  return (
    <Typography color="textSecondary" sx={{ p: 4, textAlign: 'center' }}>
      {translate(filtered ? 'verbatim.token.none_of_these' : 'verbatim.token.none_at_all')}
    </Typography>
  );
}
