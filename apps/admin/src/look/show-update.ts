import { createContext } from 'react';

/** Makes the surrounding list show its next answer as it is: after your own change, rows are not kept in place. */
export const ShowUpdate = createContext<() => void>(() => undefined);
