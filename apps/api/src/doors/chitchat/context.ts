import { newId } from '../../new-id.js';

/** The name of this door in events, for guests and for its caretaker. */
export const DOOR = 'chitchat';

/** The context of every command of this door. */
export const newContext = () => ({ correlation: newId(), door: DOOR });
