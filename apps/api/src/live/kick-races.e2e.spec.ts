import { describeKickRaces } from './kick-races.testing.js';

describeKickRaces(100);
