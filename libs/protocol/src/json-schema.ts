import { z } from 'zod';

/** A schema in the JSON Schema language. */
export type JsonSchema = Record<string, unknown>;

type Dialect = 'draft-2020-12' | 'draft-07';

/** Where OpenAPI and AsyncAPI keep the schemas that have names. */
export const referenceTo = (name: string): string => `#/components/schemas/${name}`;

/**
 * The JSON Schemas of what may be sent. Where one holds another of them, it refers to it by name.
 * OpenAPI 3.1 speaks JSON Schema 2020-12, AsyncAPI 3.0 draft 7.
 */
export function namedJsonSchemas(named: Record<string, z.ZodType>, target: Dialect): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io: 'input', target, uri: referenceTo, override: tidy });
  return Object.fromEntries(Object.keys(named).map((name) => [name, withoutHeading(schemas[name] as JsonSchema)]));
}

/** The JSON Schema of one field. */
export const jsonSchema = (schema: z.ZodType): JsonSchema =>
  withoutHeading(z.toJSONSchema(schema, { io: 'input', override: tidy }) as JsonSchema);

/** Whether what the schema describes may be left out. */
export const mayBeAbsent = (schema: z.ZodType): boolean => schema.safeParse(undefined).success;

/** Names of formats say it better than the long patterns that Zod adds to them. */
function tidy({ jsonSchema }: { jsonSchema: JsonSchema }): void {
  if (jsonSchema.format) delete jsonSchema.pattern;
}

function withoutHeading({ $schema, $id, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
