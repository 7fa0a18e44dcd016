import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';

/**
 * Makes one JSON Schema per kind from the OpenAPI file of Kubernetes and from files of CustomResourceDefinitions, in the layout that
 * kubeconform looks for. Fields that they do not know are refused.
 *
 *   node schemas.js <folder> <swagger.json> <definitions.yaml>...
 */
const [, , folder, swagger, ...customResources] = process.argv;
const { definitions } = JSON.parse(await readFile(swagger, 'utf8'));

const strict = closed(definitions);
strict['io.k8s.apimachinery.pkg.util.intstr.IntOrString'] = { oneOf: [{ type: 'string' }, { type: 'integer' }] };
strict['io.k8s.apimachinery.pkg.api.resource.Quantity'] = { oneOf: [{ type: 'string' }, { type: 'number' }] };

await mkdir(folder, { recursive: true });
await writeFile(join(folder, '_definitions.json'), JSON.stringify({ definitions: strict }));
for (const definition of Object.values(strict)) {
  for (const { group, version, kind } of definition['x-kubernetes-group-version-kind'] ?? []) {
    const schema = structuredClone(definition);
    if (schema.properties?.kind) schema.properties.kind = { type: 'string', enum: [kind] };
    if (schema.properties?.apiVersion)
      schema.properties.apiVersion = { type: 'string', enum: [group ? `${group}/${version}` : version] };
    await write(kind, group, version, schema);
  }
}

for (const file of customResources) {
  for (const document of parseAllDocuments(await readFile(file, 'utf8'))) {
    const { group, names, versions } = document.toJS()?.spec ?? { versions: [] };
    for (const { name, schema } of versions) {
      const { properties, ...others } = closed(schema.openAPIV3Schema);
      await write(names.kind, group, name, { ...others, properties: { ...properties, metadata: { type: 'object' } } });
    }
  }
}

function write(kind, group, version, schema) {
  const name = [kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase();
  return writeFile(join(folder, `${name}.json`), JSON.stringify(schema));
}

/** The same with references into the file of definitions, and no other properties than those listed. */
function closed(node) {
  if (Array.isArray(node)) return node.map(closed);
  if (typeof node !== 'object' || node === null) return node;
  const copy = {};
  for (const [name, value] of Object.entries(node)) {
    if (name === 'description' && typeof value === 'string') continue;
    const reference = name === '$ref' && typeof value === 'string';
    copy[name] = reference ? value.replace('#/definitions/', '_definitions.json#/definitions/') : closed(value);
  }
  const open = copy.additionalProperties || copy['x-kubernetes-preserve-unknown-fields'];
  if (copy.type === 'object' && copy.properties && !open) copy.additionalProperties = false;
  return copy;
}
