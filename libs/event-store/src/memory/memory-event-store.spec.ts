import { eventStoreContract } from '../event-store.contract.testing.js';
import { MemoryEventStore } from './memory-event-store.js';

eventStoreContract('memory', async () => ({ store: new MemoryEventStore() }));
