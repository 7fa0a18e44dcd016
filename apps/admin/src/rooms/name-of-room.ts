import type { Room } from '@verbatim/protocol';
import { i18nProvider } from '../words/i18n';

/** The name of a room: direct rooms have none, erased ones no longer have one. */
export const nameOfRoom = ({ name, visibility }: Pick<Room, 'name' | 'visibility'>): string =>
  name || i18nProvider.translate(visibility === 'direct' ? 'verbatim.rooms.nameless' : 'verbatim.rooms.forgotten');
