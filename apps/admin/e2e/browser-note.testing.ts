import { browserProgram } from './browser.testing.js';

/** Runs once before all tests, so that nobody misses that tests are skipped. */
export default function setup(): void {
  if (!browserProgram) console.log('Chromium was not found: browser tests of the dashboard are skipped.');
}
