import type { ChainCheck } from '@verbatim/event-store';

/** Broken streams that are listed one by one. */
const LISTED = 200;

/** What a check of all chains has found, for people. */
export function foundBy({ events, streams, broken }: ChainCheck): string {
  const more = broken.length - LISTED;
  return [
    ...broken.slice(0, LISTED).map(({ stream, revision, position, fault }) => {
      return `${stream} is broken at revision ${revision} (position ${position}): ${fault}.`;
    }),
    ...(more > 0 ? [`${number(more)} more streams are broken.`] : []),
    `${number(events)} events in ${number(streams)} streams were checked: hashes, links, revisions, ids. ` +
      (broken.length === 0 ? 'All is as it was written.' : `${number(broken.length)} streams are broken.`),
    '',
  ].join('\n');
}

export const number = (value: number): string => value.toLocaleString('en');
