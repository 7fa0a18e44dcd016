import all from './vitest.config.js';
export default { ...all, test: { ...all.test, globalSetup: [] } };
