import { describeAttacks } from './attacks.testing.js';

describeAttacks({ seconds: 3, allAtOnceSeconds: 0, calmSeconds: 1, heapMiB: 160, mostMiB: 512 });
