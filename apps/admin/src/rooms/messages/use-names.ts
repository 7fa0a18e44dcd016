import { useTranslate } from 'react-admin';
import { usePeople } from '../../users/use-people';
import type { Entry } from './conversation';

/** Display names of people. The socket sends only usernames, so display names are requested separately. */
export function useNames(entries: readonly Entry[]): (entry: Entry) => string {
  const translate = useTranslate();
  const whoOf = (entry: Entry) => (entry.kind === 'said' ? entry.author : entry.who);
  const nameless = entries.flatMap((entry) => {
    const who = whoOf(entry);
    return who && who.id !== '' && who.displayName === undefined ? [who.id] : [];
  });
  const people = usePeople(nameless);
  return (entry) => {
    const who = whoOf(entry);
    if (!who) return translate('verbatim.talk.service');
    return who.displayName || people(who.id, who.username);
  };
}
