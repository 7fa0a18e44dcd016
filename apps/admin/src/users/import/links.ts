import { useSyncExternalStore } from 'react';
import { client } from '../../service/client';

/** The password links of an import. They are shown nowhere else, so they are kept until the tab is closed or the person signs out. */
export interface Links {
  /** By username. */
  readonly made: ReadonlyMap<string, string>;
  /** Whether some of them are in no file yet. */
  readonly unsaved: boolean;
}

const none: Links = { made: new Map(), unsaved: false };
let links = none;
const listeners = new Set<() => void>();

function become(next: Links): void {
  links = next;
  for (const listener of listeners) listener();
}

export const addLink = (username: string, link: string): void =>
  become({ made: new Map(links.made).set(username, link), unsaved: true });

/** All of them are in a file now. */
export const noteSaved = (): void => become({ ...links, unsaved: false });

client.on('session', (session) => {
  if (session === null) become(none);
});

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useLinks = (): Links => useSyncExternalStore(subscribe, () => links);
