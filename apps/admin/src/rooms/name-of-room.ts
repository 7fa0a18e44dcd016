import type { Room } from '@verbatim/protocol';
import { i18nProvider } from '../words/i18n';

/** What a room is called: direct rooms have no name, forgotten ones none any more. */
export const nameOfRoom = ({ name, visibility }: Pick<Room, 'name' | 'visibility'>): string =>
  name || i18nProvider.translate(visibility === 'direct' ? 'verbatim.rooms.nameless' : 'verbatim.rooms.forgotten');
