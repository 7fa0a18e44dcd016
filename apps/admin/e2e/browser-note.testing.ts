import { browserProgram } from './browser.testing.js';

/** Runs once before all tests: what is left out must not go unnoticed. */
export default function setup(): void {
  if (!browserProgram) console.log('No Chromium was found, so the tests of the dashboard in a browser were left out.');
}
