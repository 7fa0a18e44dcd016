import { StandIn } from './stand-in.testing.js';
import { type Order, obey, type Word } from './stand-in-process.testing.js';

const standIn = await StandIn.start();
process.on('message', (order: Order) => obey(standIn, order));
process.on('disconnect', () => process.exit());
process.send?.({ url: standIn.url } satisfies Word);
