import type { Unit } from '../host/part.js';
import { exportsUnit } from './exports/exports-unit.js';
import { limitsUnit } from './limits/limits-unit.js';
import { loadHistoryUnit } from './load-history/load-history-unit.js';
import { metricsUnit } from './metrics/metrics-unit.js';
import { presenceUnit } from './presence/presence-unit.js';
import { retentionUnit } from './retention/retention-unit.js';
import { sweepsUnit } from './sweeps/sweeps-unit.js';
import { telemetryUnit } from './telemetry/telemetry-unit.js';
import { transparencyUnit } from './transparency/transparency-unit.js';
import { webhooksUnit } from './webhooks/webhooks-unit.js';

/** All units, one line each, in the order in which they start; they stop in reverse order. */
export const units: readonly Unit[] = [
  presenceUnit,
  loadHistoryUnit,
  webhooksUnit,
  transparencyUnit,
  exportsUnit,
  limitsUnit,
  retentionUnit,
  sweepsUnit,
  metricsUnit,
  telemetryUnit,
];
