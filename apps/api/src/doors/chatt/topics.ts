import { nameKey } from '@verbatim/domain';

/** What a client publishes, as the name of its topic says. */
export type TopicMeaning =
  | { readonly what: 'text' | 'room'; readonly room: string }
  | { readonly what: 'hello' | 'logout'; readonly name: string };

/** What a topic stands for; null: nothing that this door knows. */
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

/** A topic that may be published to: not empty, without wildcards and NUL (MQTT 3.1.1, 4.7). */
export const isTopic = (topic: string): boolean => /^[^+#\0]+$/u.test(topic) && !topic.includes('\ufffd');

/** Why a text is no filter: it is malformed, asks for a share of a subscription, or is about topics that are not here, as `$SYS`. */
export type NoFilter = 'malformed' | 'shared' | 'foreign';

/**
 * A filter of a subscription. It picks from what the client may read, and never adds to it. Names of rooms and people are
 * compared like everywhere in the service, whatever their case.
 */
export class Filter {
  private readonly levels: readonly string[];

  private constructor(readonly text: string) {
    this.levels = text.split('/').map((level) => (isWildcard(level) ? level : nameKey(level)));
  }

  /** What there is instead of a filter: this is none (MQTT 3.1.1, 4.7.1), or nothing here could ever match it. */
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

  /** Whether it picks from all rooms, rather than from one by its name. */
  get forAllRooms(): boolean {
    const [kind, room] = this.levels;
    return kind === '#' || ((kind === '+' || kind === 'rooms') && (room === '#' || room === '+'));
  }

  /** The one room that it is about, as its name is compared; null if it is about all, or about people. */
  get room(): string | null {
    const [kind, room] = this.levels;
    return (kind === 'rooms' || kind === '+') && room !== undefined && !isWildcard(room) ? room : null;
  }
}

const isWildcard = (level: string): boolean => level === '+' || level === '#';
