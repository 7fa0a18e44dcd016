import { AxeBuilder } from '@axe-core/playwright';
import { expect } from 'vitest';
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

/** Expects no serious accessibility faults in either colour scheme, and takes a screenshot of each. */
export async function look(tab: Tab, name: string): Promise<void> {
  await tab.screenshot(name);
  expect(await seriousFaults(tab)).toEqual([]);
  await tab.switchTo('dark');
  await tab.screenshot(`${name}-dark`);
  expect(await seriousFaults(tab)).toEqual([]);
  await tab.switchTo('light');
}

/** Expects that the page fits a phone, and takes a screenshot of it there. */
export async function lookOnPhone(tab: Tab, name: string): Promise<void> {
  const { page } = tab;
  await page.setViewportSize({ width: 390, height: 844 });
  await page.waitForTimeout(250);
  await tab.screenshot(`${name}-phone`);
  expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(390);
  await page.setViewportSize({ width: 1280, height: 900 });
}
