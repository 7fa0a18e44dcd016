import { newId } from '../../new-id.js';

/** The name of this door in events. */
export const DOOR = 'chatable';

/** The context of every command of this door. */
export const context = (correlation = newId()) => ({ correlation, door: DOOR });
