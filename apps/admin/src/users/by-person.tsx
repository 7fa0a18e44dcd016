import type { Person, User } from '@verbatim/protocol';
import { AutocompleteInput, Link, ReferenceInput } from 'react-admin';
import { nameOf } from './name-of';

/** A list filter for one person, who is found by name. */
export const byPerson = (
  <ReferenceInput
    key="user"
    source="user"
    reference="users"
    sort={{ field: 'username', order: 'ASC' }}
    perPage={10}
    alwaysOn
  >
    <AutocompleteInput
      label="verbatim.by_person"
      size="small"
      optionText={(user: User) => `${nameOf(user)} (${user.username})`}
      filterToQuery={(q: string) => ({ q: q.trim() || undefined })}
      noOptionsText="verbatim.rooms.nobody_found"
      sx={{ width: 240, maxWidth: '70vw' }}
    />
  </ReferenceInput>
);

/** Leads to the tab of the person that has the same. */
export function PersonLink({ person: { id, username }, tab }: { person: Person; tab: 'sessions' | 'tokens' }) {
  return <Link to={`/users/${id}/show/${tab}`}>{username}</Link>;
}
