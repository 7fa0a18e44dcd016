import { describeAttacks } from './attacks.testing.js';

describeAttacks({ seconds: 5, inGroups: true, allAtOnceSeconds: 0, calmSeconds: 1, heapMiB: 160, maxMiB: 512 });
