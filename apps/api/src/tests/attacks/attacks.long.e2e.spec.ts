import { describeAttacks } from './attacks.testing.js';

describeAttacks({ seconds: 60, allAtOnceSeconds: 1_800, calmSeconds: 20, heapMiB: 512, maxMiB: 512, maxSlowdown: 3 });
