import { unit } from '../../host/part.js';
import { SharedLedger } from '../../storage/limits/shared-ledger.js';

/** Settles limits with the other replicas. Without it, each replica applies its own limits. */
export const limitsUnit = unit({
  name: 'limits',
  open(application) {
    const ledger = application.get(SharedLedger);
    return { start: () => ledger.start(), close: () => ledger.stop() };
  },
});
