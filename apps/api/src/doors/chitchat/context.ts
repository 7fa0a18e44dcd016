import { newId } from '../../new-id.js';

/** Under this name the door is known to events, guests and its caretaker. */
export const DOOR = 'chitchat';

/** What goes with each command from this door. */
export const newContext = () => ({ correlation: newId(), door: DOOR });
