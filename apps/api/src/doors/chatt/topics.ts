import { nameKey } from '@verbatim/domain';

/** The meaning of a topic that a client publishes to. */
export type TopicMeaning =
  | { readonly what: 'text' | 'room'; readonly room: string }
  | { readonly what: 'hello' | 'logout'; readonly name: string };

/** The meaning of a topic; null if it has none at this door. */
export function readTopic(topic: string): TopicMeaning | null {
  const [kind, name, what, ...more] = topic.split('/');
  if (more.length > 0 || !name) return null;
  if (kind === 'rooms' && what === 'newtext') return { what: 'text', room: name };
  if (kind === 'rooms' && what === 'new') return { what: 'room', room: name };
  if (kind === 'users' && (what === 'hello' || what === 'logout')) return { what, name };
  return null;
}

export const textTopic = (room: string): string => `rooms/${room}/newtext`;
export const newRoomTopic = (room: string): string => `rooms/${room}/new`;
export const userTopic = (name: string, what: 'hello' | 'logout'): string => `users/${name}/${what}`;

/** Whether a topic can be published to: not empty, and without wildcards and NUL (MQTT 3.1.1, 4.7). */
export const isTopic = (topic: string): boolean => /^[^+#\0]+$/u.test(topic) && !topic.includes('\ufffd');

/** Why a filter is refused: malformed, a shared subscription, or for topics that do not exist here, such as `$SYS`. */
export type NoFilter = 'malformed' | 'shared' | 'foreign';

/**
 * A filter of a subscription. It selects from what the client may read, and never adds to it. Names of rooms and people are
 * compared regardless of case, as everywhere in the service.
 */
export class Filter {
  private readonly levels: readonly string[];

  private constructor(readonly text: string) {
    this.levels = text.split('/').map((level) => (isWildcard(level) ? level : nameKey(level)));
  }

  /** Parses a filter (MQTT 3.1.1, 4.7.1), or returns why it is refused. */
  static read(text: string): Filter | NoFilter {
    const levels = text.split('/');
    const wellFormed = levels.every((level, i) =>
      isWildcard(level) ? level === '+' || i === levels.length - 1 : !/[+#\0]/.test(level),
    );
    if (text === '' || !wellFormed) return 'malformed';
    if (levels[0] === '$share') return 'shared';
    return /^(rooms|users|\+|#)$/.test(levels[0] ?? '') ? new Filter(text) : 'foreign';
  }

  matches(topic: string): boolean {
    const { levels } = this;
    const names = topic.split('/');
    for (const [i, level] of levels.entries()) {
      if (level === '#') return true;
      const name = names[i];
      if (name === undefined || (level !== '+' && level !== nameKey(name))) return false;
    }
    return levels.length === names.length;
  }

  /** Whether it matches all rooms rather than one by its name. */
  get forAllRooms(): boolean {
    const [kind, room] = this.levels;
    return kind === '#' || ((kind === '+' || kind === 'rooms') && (room === '#' || room === '+'));
  }

  /** The comparison key of the one room that it names; null if it matches all rooms or people. */
  get room(): string | null {
    const [kind, room] = this.levels;
    return (kind === 'rooms' || kind === '+') && room !== undefined && !isWildcard(room) ? room : null;
  }
}

const isWildcard = (level: string): boolean => level === '+' || level === '#';
