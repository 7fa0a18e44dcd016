import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { dashboard } from './dashboard.js';

/**
 * Writes what follows from values.schema.json and the tables of the dashboard, so that each value and metric is described
 * once: `node deploy/helm/generate.js && npm run format`. files.spec.ts checks that the files are current.
 */

const chart = new URL('./verbatim/', import.meta.url);

/** @returns {Promise<Record<string, string>>} the text of each generated file, by its path in the chart */
export async function generate() {
  const schema = JSON.parse(await readFile(new URL('values.schema.json', chart), 'utf8'));
  const introduction = await readFile(new URL('../introduction.md', chart), 'utf8');
  return {
    'values.yaml': valuesFile(schema),
    'README.md': `${introduction.trim()}\n\n## Values\n\n${valuesTable(schema)}\n`,
    'files/dashboard.json': `${JSON.stringify(dashboard, null, 2)}\n`,
  };
}

/** The defaults of a chart as the schema says: an object with `default`s below it, or one `default` for the whole of it. */
export function defaultsOf(schema) {
  if ('default' in schema) return schema.default;
  const used = Object.entries(schema.properties ?? {}).filter(([, property]) => !property.deprecated);
  return Object.fromEntries(used.map(([name, property]) => [name, defaultsOf(property)]));
}

function valuesFile(schema) {
  const head = '# Defaults of all values. Made from values.schema.json by deploy/helm/generate.js: do not edit.';
  return `${head}\n${yamlOf(schema, defaultsOf(schema), schema, '')}`;
}

function yamlOf(node, defaults, root, indent) {
  const { properties = {} } = resolve(node, root);
  return Object.entries(properties)
    .filter(([name, { deprecated }]) => !deprecated && name in defaults)
    .map(([name, property]) => {
      const value = defaults[name];
      const described = wrap(property.description, indent);
      const nested = isObject(value) && Object.keys(value).length > 0 && resolve(property, root).properties;
      const text = nested
        ? `${indent}${name}:\n${yamlOf(property, value, root, `${indent}  `)}`
        : `${indent}${name}: ${JSON.stringify(value)}\n`;
      return `${indent === '' ? '\n' : ''}${described}${text}`;
    })
    .join('');
}

function wrap(description = '', indent = '') {
  const lines = [];
  for (const word of description.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && `${last} ${word}`.length <= 110 - indent.length)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${indent}# ${line}\n`).join('');
}

function valuesTable(schema) {
  const rows = rowsOf(schema, defaultsOf(schema), schema, '').map(
    ([name, value, description]) =>
      `| \`${name}\` | ${description.replaceAll('|', '\\|')} | \`${JSON.stringify(value)}\` |`,
  );
  return ['| value | meaning | default |', '|---|---|---|', ...rows].join('\n');
}

function rowsOf(node, defaults, root, prefix) {
  return Object.entries(resolve(node, root).properties ?? {})
    .filter(([name, { deprecated }]) => !deprecated && name in defaults)
    .flatMap(([name, property]) => {
      const path = `${prefix}${name}`;
      const { properties } = resolve(property, root);
      if (!properties) return [[path, defaults[name], property.description ?? '']];
      const [first, ...others] = rowsOf(property, defaults[name], root, `${path}.`);
      return [[first[0], first[1], `${property.description} ${first[2]}`], ...others];
    });
}

function resolve(node, root) {
  return node.$ref ? root.$defs[node.$ref.split('/').at(-1)] : node;
}

const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for (const [file, text] of Object.entries(await generate()))
    await writeFile(fileURLToPath(new URL(file, chart)), text);
}
