import type { Retention } from '@verbatim/protocol';
import { ReferenceField, useTranslate } from 'react-admin';

export type Rule = Retention['rules'][number];

/** Which rooms a rule is about. */
export function RoomsOf({ rule: { id, room, visibility } }: { rule: Pick<Rule, 'id' | 'room' | 'visibility'> }) {
  const translate = useTranslate();
  if (room !== null)
    return (
      <>
        {translate('verbatim.subject.room')}:{' '}
        <ReferenceField record={{ id, room }} source="room" reference="rooms" link="show" emptyText="–" />
      </>
    );
  return translate(visibility === null ? 'verbatim.retention.server' : `verbatim.retention.of_${visibility}`);
}
