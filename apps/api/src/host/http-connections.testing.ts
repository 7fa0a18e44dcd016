import { noLimits } from '../limits/limit-settings.js';
import { HttpConnections } from './http-connections.js';
import { Proxies } from './proxies.js';
import { WaitingData } from './waiting-data.js';

/** For a server on its own that accepts everything. */
export const unlimitedConnections = (): HttpConnections =>
  new HttpConnections(noLimits, new Proxies(null), new WaitingData(noLimits));
