/** Shows texts as text, never as markup. Only what is recognized here becomes an element. */

const smileys = {
  ':(': '🙁',
  ':)': '🙂',
  XD: '😆',
  xd: '😆',
  '^^': '😊',
  ':D': '😃',
  ':d': '😃',
  ':P': '😛',
  ':p': '😛',
  ':/': '😕',
  ';)': '😉',
};

const patterns = [
  { find: /:img:\((https?:\/\/[^\s)]+)\)/u, show: ([, url]) => link(url, `(image on ${new URL(url).host})`) },
  { find: /https?:\/\/[^\s<>"]+/u, show: ([url]) => link(url, `(link to ${new URL(url).host})`) },
  { find: /:(\w+):/u, show: ([, word]) => `(?)${word}(?)` },
  { find: /(?<=^|\s)(?::\)+|:\(|XD|xd|\^\^|:D|:d|:P|:p|:\/|;\))(?=\s|$)/u, show: ([found]) => smiley(found) },
];

/** A text as nodes. Mentions of `nick`, the user's own name, are bold. */
export function shown(text, nick) {
  const nodes = nodesOf(text, patterns);
  if (nick === '' || !text.includes(`@${nick}`)) return nodes;
  const bold = document.createElement('b');
  bold.append(...nodes);
  return [bold];
}

function nodesOf(text, left) {
  const [pattern, ...others] = left;
  if (!pattern || text === '') return [document.createTextNode(text)];
  const found = pattern.find.exec(text);
  const node = found && made(pattern, found);
  if (!node) return nodesOf(text, others);
  const before = text.slice(0, found.index);
  const after = text.slice(found.index + found[0].length);
  return [...nodesOf(before, others), node, ...nodesOf(after, others)];
}

function made({ show }, found) {
  try {
    const node = show(found);
    return typeof node === 'string' ? document.createTextNode(node) : node;
  } catch {
    return null;
  }
}

function link(url, text) {
  const anchor = document.createElement('a');
  anchor.href = new URL(url).href;
  anchor.rel = 'noopener noreferrer';
  anchor.target = '_blank';
  anchor.textContent = text;
  return anchor;
}

const smiley = (found) => smileys[found] ?? '🙂'.repeat(Math.min(found.length - 1, 5));
