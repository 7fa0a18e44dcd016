import { Proxies } from '../browsers/proxies.js';
import { noLimits } from '../limits/limit-settings.js';
import { WaitingData } from '../limits/waiting-data.js';
import { HttpConnections } from './http-connections.js';

/** For a server by itself that is to accept everything. */
export const unlimitedConnections = (): HttpConnections =>
  new HttpConnections(noLimits, new Proxies(null), new WaitingData(noLimits));
