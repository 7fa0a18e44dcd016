import { AxeBuilder } from '@axe-core/playwright';
import type { Tab } from './browser.testing.js';

/** Serious and critical accessibility faults that axe finds, with enough detail to fix them. */
export async function seriousFaults(tab: Tab): Promise<unknown[]> {
  const { violations } = await new AxeBuilder({ page: tab.page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
    .analyze();
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => ({
      id,
      nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => [html, failureSummary]),
    }));
}
