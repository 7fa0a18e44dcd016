import { afterAll, beforeAll, expect, it } from 'vitest';
import { closeStage, openStage, playSequences, type Stage } from './sequences.testing.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => closeStage(stage));

it('no sequence of a thousand lets anybody do what is not theirs to do', async () => {
  await playSequences(stage, 1_000, 1_500_000);
  for (const allowed of [
    'post: 201',
    'refresh: 200',
    'suspend: 200',
    'ban: 204',
    'join: 201',
    'createToken: 201',
    'addHook: 201',
  ])
    expect(stage.tally.get(allowed) ?? 0, allowed).toBeGreaterThan(0);
  for (const refused of [
    'post: forbidden',
    'post: unauthenticated',
    'refresh: unauthenticated',
    'ban: forbidden',
    'postToHook: forbidden',
  ])
    expect(stage.tally.get(refused) ?? 0, refused).toBeGreaterThan(0);
}, 1_800_000);
