import { afterAll, beforeAll, expect, it } from 'vitest';
import { closeStage, openStage, playSequences, type Stage } from './sequences.testing.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => closeStage(stage));

it('no sequence of steps lets anybody do what is not theirs to do', async () => {
  await playSequences(stage, 15, 180_000);
  expect(stage.tally.size).toBeGreaterThan(0);
}, 240_000);
