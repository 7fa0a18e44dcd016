import { newId } from '../../new-id.js';

/** The name under which events record what came through this door. */
export const DOOR = 'chatable';

/** What every command of this door is sent with. */
export const context = (correlation = newId()) => ({ correlation, door: DOOR });
