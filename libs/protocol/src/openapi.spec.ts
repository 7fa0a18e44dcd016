import { describe, expect, it } from 'vitest';
import { callList, statusesOf } from './calls.js';
import { errors } from './errors.js';
import { openapi } from './openapi.js';
import { referencesIn, resolve } from './references.testing.js';

// biome-ignore lint/suspicious/noExplicitAny: the document is data of many shapes.
const document: any = JSON.parse(JSON.stringify(openapi({ version: '1.2.3' })));

it('is the same each time', () => {
  expect(openapi({ version: '1.2.3' })).toEqual(openapi({ version: '1.2.3' }));
  expect(JSON.stringify(openapi({ version: '1.2.3' }))).toBe(JSON.stringify(openapi({ version: '1.2.3' })));
  expect(document.info.version).toBe('1.2.3');
});

it('has references that all lead somewhere', () => {
  const references = referencesIn(document);
  expect(references.length).toBeGreaterThan(100);
  expect(references.filter((reference) => resolve(document, reference) === undefined)).toEqual([]);
});

it('uses every component', () => {
  const used = new Set(referencesIn(document));
  for (const kind of ['schemas', 'responses']) {
    for (const name of Object.keys(document.components[kind])) expect(used).toContain(`#/components/${kind}/${name}`);
  }
});

it('has no operation besides those of the table', () => {
  const operations = Object.values(document.paths).flatMap((item) => Object.values(item as object));
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual(callList.map(([name]) => name).sort());
});

it('explains every error code', () => {
  for (const code of Object.keys(errors)) expect(document.info.description).toContain(`| \`${code}\` |`);
});

it('bears no trace of how schemas are generated', () => {
  const text = JSON.stringify(document);
  for (const trace of ['$schema', '$id', '$defs', '__shared', '"id":"urn']) expect(text).not.toContain(trace);
});

describe.each(callList)('%s', (name, call) => {
  const operation = document.paths[call.path][call.method.toLowerCase()];

  it('is there, with words, a tag and rights', () => {
    expect(operation.operationId).toBe(name);
    expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(document.tags.map((tag: { name: string }) => tag.name)).toContain(operation.tags[0]);
    expect(operation.security ?? document.security).toEqual(call.auth === 'none' ? [] : [{ bearer: [] }]);
  });

  it('has each parameter once, with a schema, and those of the path required', () => {
    const parameters: { name: string; in: string; required: boolean; schema: object }[] = operation.parameters ?? [];
    const wished = [
      ...Object.keys(call.params?.shape ?? {}).map((key) => `path ${key}`),
      ...Object.keys(call.query?.shape ?? {}).map((key) => `query ${key}`),
      ...Object.keys(call.headers.request).map((key) => `header ${key}`),
    ];
    expect(parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).toEqual(wished);
    for (const parameter of parameters) {
      expect(Object.keys(parameter.schema)).not.toHaveLength(0);
      if (parameter.in === 'path') expect(parameter.required).toBe(true);
    }
  });

  it('has a body where the table has one', () => {
    expect(operation.requestBody !== undefined).toBe(call.body !== undefined);
    if (call.body)
      expect(operation.requestBody.content['application/json'].schema.$ref).toMatch(/^#\/components\/schemas\//);
  });

  it('has every answer, each with a description, and errors as problems', () => {
    const statuses = statusesOf(call);
    expect(Object.keys(operation.responses).map(Number)).toEqual([...statuses.keys()].sort());
    for (const [status, codes] of statuses) {
      const response = resolve(document, operation.responses[status]) as {
        description: string;
        content?: Record<string, { schema: { properties: object } }>;
        headers?: object;
      };
      expect(response.description).toMatch(/\.$/);
      if (codes.length === 0) {
        expect(response.content !== undefined).toBe(call.answers[status] !== null);
      } else {
        expect(response.content?.['application/problem+json']?.schema.properties).toEqual({ code: { enum: codes } });
        expect('Retry-After' in (response.headers ?? {})).toBe(codes.some((code) => errors[code].retryable));
      }
    }
  });
});

describe('the named schemas', () => {
  it('require of bodies only what has no default', () => {
    expect(document.components.schemas.CreateRoom.required).toEqual(['name']);
    expect(document.components.schemas.PostMessage.required).toEqual(['text']);
    expect(document.components.schemas.ChangeRoom.required).toBeUndefined();
  });

  it('let answers and bodies have further fields', () => {
    expect(JSON.stringify(document.components.schemas)).not.toContain('"additionalProperties":false');
  });

  it('tell the limits of texts', () => {
    expect(document.components.schemas.PostMessage.properties.text).toMatchObject({
      type: 'string',
      minLength: 1,
      maxLength: 8_000,
    });
  });

  it('tie the data of an event to its type', () => {
    expect(document.components.schemas.RoomFact.oneOf).toContainEqual({
      type: 'object',
      properties: {
        type: { type: 'string', const: 'MessagePosted' },
        data: { $ref: '#/components/schemas/MessagePostedData' },
      },
      required: ['type', 'data'],
    });
  });

  it('have examples that their own schemas accept', () => {
    for (const [, call] of callList) {
      const reference =
        document.paths[call.path][call.method.toLowerCase()].requestBody?.content['application/json'].schema;
      const { examples = [] } = (reference ? resolve(document, reference.$ref) : {}) as { examples?: unknown[] };
      for (const example of examples) expect(call.body?.safeParse(example).success).toBe(true);
    }
  });
});
