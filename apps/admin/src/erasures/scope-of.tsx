import type { ErasedScope } from '@verbatim/protocol';
import { ReferenceField, useTranslate } from 'react-admin';
import { useDay } from '../words/region';

/** Whom or what an erasure or a hold is about, with the way there. */
export function ScopeOf({ scope }: { scope: ErasedScope }) {
  const translate = useTranslate();
  const day = useDay();
  const { kind, person, from, to } = scope;
  const what = translate(`verbatim.subject.${kind}`);
  const record = { ...scope, id: person ?? scope.room ?? '' };
  return (
    <>
      {what}:{' '}
      {kind === 'person' ? (
        <ReferenceField record={record} source="person" reference="users" link="show" emptyText="–" />
      ) : (
        <ReferenceField record={record} source="room" reference="rooms" link="show" emptyText="–" />
      )}
      {from &&
        to &&
        `, ${from === to ? day(from) : translate('verbatim.subject.span', { from: day(from), to: day(to) })}`}
    </>
  );
}
