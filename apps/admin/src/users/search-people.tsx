import { type TextInputProps, useCanAccess } from 'react-admin';
import { Search } from '../look/search';

/** The search field of a list of people. Only who may change accounts may also look for e-mail addresses. */
export function SearchPeople(props: TextInputProps) {
  const { canAccess: mayChange } = useCanAccess({ resource: 'users', action: 'edit' });
  return <Search {...props} label={`resources.users.fields.${mayChange ? 'q_or_email' : 'q'}`} />;
}
