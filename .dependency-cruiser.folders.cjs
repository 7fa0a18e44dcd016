/**
 * No folder of the service is part of an import cycle. A run of its own, because rules for folders cannot leave out tests,
 * which may import what they like.
 */
const { options } = require('./.dependency-cruiser.cjs');

module.exports = {
  forbidden: [
    {
      name: 'no cycles of folders',
      comment: 'Folders that import each other in a circle cannot be understood one by one.',
      severity: 'error',
      scope: 'folder',
      from: { path: '^apps/api/src/' },
      to: { circular: true },
    },
  ],
  options: { ...options, exclude: { path: ['[.](spec|testing)[.]ts$'] } },
};
