import type { ChainCheck } from '@verbatim/event-store';

/** Broken streams that are listed. */
const LISTED = 200;

/** The result of a check of all chains, for display. */
export function foundBy({ events, streams, broken }: ChainCheck): string {
  const more = broken.length - LISTED;
  return [
    ...broken.slice(0, LISTED).map(({ stream, revision, position, fault }) => {
      return `${stream} is broken at revision ${revision} (position ${position}): ${fault}.`;
    }),
    ...(more > 0 ? [`${number(more)} more streams are broken.`] : []),
    `${number(events)} events in ${number(streams)} streams were checked: hashes, links, revisions, ids. ` +
      (broken.length === 0 ? 'No stream is broken.' : `${number(broken.length)} streams are broken.`),
    '',
  ].join('\n');
}

export const number = (value: number): string => value.toLocaleString('en');
