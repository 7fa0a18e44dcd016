import { Client } from '@verbatim/client';
import { observedFetch } from './connection';
import { EndOfSession } from './end-of-session';
import { sharedSession } from './kept-session';

/** Where the API is: the origin of the page, unless the build sets another. */
export const apiUrl = (
  process.env.NEXT_PUBLIC_API_URL ||
  globalThis.location?.origin ||
  'http://127.0.0.1:3000'
).replace(/\/+$/, '');

/** The client of the signed-in person: renews the session in time, retries safely, reads its own writes. */
export const client = new Client({ servers: [apiUrl], fetch: observedFetch, sharedSession });

export const endOfSession = new EndOfSession(client);
