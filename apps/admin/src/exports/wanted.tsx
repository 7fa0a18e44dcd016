import { ReferenceField, useTranslate } from 'react-admin';
import { useMoment } from '../words/region';
import type { Export } from './exports-source';

/** Which events an export takes. */
export function Wanted({ of }: { of: Export }) {
  const translate = useTranslate();
  const moment = useMoment();
  const { room, person, from, to, words } = of;
  const parts = [
    room && (
      <>
        {translate('verbatim.subject.room')} <ReferenceField record={of} source="room" reference="rooms" link="show" />
      </>
    ),
    person && (
      <>
        {translate('verbatim.subject.person')}{' '}
        <ReferenceField record={of} source="person" reference="users" link="show" />
      </>
    ),
    from && translate('verbatim.exports.since', { at: moment(from) }),
    to && translate('verbatim.exports.until', { at: moment(to) }),
    words && <bdi>“{words}”</bdi>,
  ].filter(Boolean);
  if (parts.length === 0) return translate('verbatim.exports.everything');
  return parts.map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one export stay where they are
    <span key={i}>
      {i > 0 && ', '}
      {part}
    </span>
  ));
}
