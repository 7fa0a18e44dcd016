import { createContext } from 'react';

/** Has the list around it show its next answer as it is: after a change of one's own nothing is kept in place. */
export const ShowAnew = createContext<() => void>(() => undefined);
