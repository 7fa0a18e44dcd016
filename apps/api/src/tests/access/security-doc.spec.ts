import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const place = new URL('../../../../../docs/security.md', import.meta.url);
const doc = readFileSync(place, 'utf8');

/** A file, as the page links to it. */
const at = (link: string): URL => new URL(link, place);

/** Tests are named as `[file](link) “title”, “another title in the same file”`. */
const tests = [...doc.matchAll(/\[[^\]]+\]\(([^)\s]+\.ts)\)((?:,? “[^”]+”)*)/g)].map(([, link = '', titles = '']) => ({
  link,
  titles: [...titles.matchAll(/“([^”]+)”/g)].map(([, title = '']) => title),
}));

/** How many requirements each section of OWASP ASVS 5.0.0 has that the page goes through. */
const sections = {
  ...{ '4.4': 4 },
  ...{ '6.1': 3, '6.2': 12, '6.3': 8, '6.4': 6, '6.5': 8, '6.6': 4, '6.7': 2, '6.8': 4 },
  ...{ '7.1': 3, '7.2': 4, '7.3': 2, '7.4': 5, '7.5': 3, '7.6': 2 },
  ...{ '8.1': 4, '8.2': 4, '8.3': 3, '8.4': 2 },
  ...{ '16.1': 1, '16.2': 5, '16.3': 4, '16.4': 3, '16.5': 4 },
};

describe('docs/security.md', () => {
  it('names tests that exist', () => {
    const missing = tests.flatMap(({ link, titles }) => {
      if (!existsSync(at(link))) return [link];
      const source = readFileSync(at(link), 'utf8');
      if (titles.length === 0) return [`${link}: no title`];
      return titles.filter((title) => !isIn(source, title)).map((title) => `${link}: ${title}`);
    });
    expect(tests.length).toBeGreaterThan(0);
    expect(missing).toEqual([]);
  });

  it('links to files that exist', () => {
    const links = [...doc.matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(([, link = '']) => link);
    expect(links.filter((link) => !existsSync(at(link)))).toEqual([]);
  });

  it('leaves out no requirement', () => {
    const numbers = Object.entries(sections).flatMap(([section, count]) =>
      Array.from({ length: count }, (_, i) => `${section}.${i + 1}`),
    );
    // In the first cell of a row, or in the list of what does not apply.
    const covers = (number: string) => new RegExp(`^(?:\\| |- (?:[\\d.]+, )*)${number}[,:]`, 'm').test(doc);
    expect(numbers.filter((number) => !covers(number))).toEqual([]);
    for (let n = 1; n <= 10; n++) expect(doc).toMatch(new RegExp(`^\\| API${n} `, 'm'));
  });
});

/** Whether a title is a whole string there; those of tables hold their placeholders. */
const isIn = (source: string, title: string): boolean =>
  ["'", '"', '`'].some((quote) => source.includes(`${quote}${title}${quote}`));
