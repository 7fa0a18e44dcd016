import { z } from 'zod';
import { userSchema } from './accounts.js';
import { errors, inputErrorSchema } from './errors.js';
import { liveEnvelopeSchema, liveEventSchema, namedEventSchemas } from './events.js';
import {
  answerTo,
  type ClientEvent,
  clientEvents,
  clientFrames,
  closeReasons,
  frameSchema,
  heartbeatSeconds,
  maxFrameBytes,
  type ServerEvent,
  scopeOfFrame,
  serverEvents,
  serverFrames,
} from './frames.js';
import { type JsonSchema, mayBeAbsent, namedJsonSchemas, referenceTo } from './json-schema.js';
import { personSchema } from './person.js';

/** Builds the AsyncAPI 3.0 document of the WebSocket. `version` is that of the release. The result is the same each time. */
export function asyncapi({ version }: { version: string }): JsonSchema {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Verbatim, live',
      version,
      description: 'What happens in rooms, as it happens. The REST side is described in `/openapi.json`.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      here: {
        host: 'localhost:3000',
        protocol: 'ws',
        description: 'The service with default settings.',
        security: [{ $ref: '#/components/securitySchemes/bearer' }, { $ref: '#/components/securitySchemes/ticket' }],
      },
    },
    channels: { socket: socket() },
    operations: operations(),
    components: {
      messages: messages(),
      schemas: namedJsonSchemas(namedSchemas, 'draft-07'),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An access token or a personal token.' },
        ticket: {
          type: 'httpApiKey',
          in: 'query',
          name: 'ticket',
          description: 'From `POST /v1/auth/ticket`; works once.',
        },
      },
    },
  };
}

const conventions = `
Frames are text, JSON in UTF-8: \`{event, ref?, data}\`, at most ${maxFrameBytes} bytes. \`ref\` is chosen by the client and returned
in the answer. Both sides ignore unknown fields; clients also ignore frames and event types that they do not know.

The server sends \`hello\` first. An invalid or refused frame is answered with \`error\`, and the connection stays open. \`follow\` after
the last known revision resumes a room without gaps or duplicates, on the first connection and every later one. The server sends a
WebSocket ping every ${heartbeatSeconds} seconds and closes connections that leave two of them unanswered.

Answers to writes do not wait for the read models: an event may come over the socket before a REST read shows it.

Errors have the same codes as on REST: ${Object.keys(errors)
  .map((code) => `\`${code}\``)
  .join(', ')}.

The server ends connections with these codes:

| code | name | connect again as is | meaning |
|---|---|---|---|
${Object.values(closeReasons)
  .map(({ code, name, retryable, meaning }) => `| ${code} | ${name} | ${retryable ? 'yes' : 'no'} | ${meaning} |`)
  .join('\n')}
`.trim();

// Channel -----------------------------------------------------------------------------------------------------------

// Frames of both directions may have the same name (`typing`), so the direction is part of the key.
const keyOfClient = (event: ClientEvent): string => `client.${event}`;
const keyOfServer = (event: ServerEvent): string => `server.${event}`;
const messageKeys = [...clientEvents.map(keyOfClient), ...serverEvents.map(keyOfServer)];

const inChannel = (key: string) => ({ $ref: `#/channels/socket/messages/${key}` });
const channel = { $ref: '#/channels/socket' };

function socket(): JsonSchema {
  return {
    address: '/v1/ws',
    title: 'The WebSocket',
    description: conventions,
    messages: Object.fromEntries(messageKeys.map((key) => [key, { $ref: `#/components/messages/${key}` }])),
    bindings: {
      ws: {
        method: 'GET',
        query: { type: 'object', properties: { ticket: { type: 'string', description: 'Opens one connection.' } } },
        headers: {
          type: 'object',
          properties: { Authorization: { type: 'string', description: '`Bearer <token>`, where no ticket is given.' } },
        },
        bindingVersion: '0.1.0',
      },
    },
  };
}

// Operations: `receive` and `send` are from the point of view of the service.
function operations(): Record<string, JsonSchema> {
  const answers = new Set<ServerEvent>(Object.values(answerTo).filter((event) => event !== null));
  const unasked = serverEvents.filter((event) => !answers.has(event));
  return {
    ...Object.fromEntries(clientEvents.map((event) => [keyOfClient(event), receiving(event)])),
    ...Object.fromEntries(unasked.map((event) => [keyOfServer(event), sending(event)])),
  };
}

function receiving(event: ClientEvent): JsonSchema {
  const expected = answerTo[event];
  const replies = expected ? [expected, 'error' as const] : ['error' as const];
  return {
    action: 'receive',
    channel,
    summary: clientFrames[event].description,
    description: `A personal token needs the scope \`${scopeOfFrame[event]}\`.`,
    messages: [inChannel(keyOfClient(event))],
    reply: { channel, messages: replies.map((reply) => inChannel(keyOfServer(reply))) },
  };
}

const sending = (event: ServerEvent): JsonSchema => ({
  action: 'send',
  channel,
  summary: serverFrames[event].description,
  messages: [inChannel(keyOfServer(event))],
});

// Messages and schemas ----------------------------------------------------------------------------------------------

const capital = (event: string): string => event[0]?.toUpperCase() + event.slice(1);
const nameOfClient = (event: ClientEvent): string => `Client${capital(event)}`;
const nameOfServer = (event: ServerEvent): string => `Server${capital(event)}`;

function messages(): Record<string, JsonSchema> {
  return {
    ...Object.fromEntries(
      clientEvents.map((event) => [keyOfClient(event), message(event, nameOfClient(event), clientFrames[event])]),
    ),
    ...Object.fromEntries(
      serverEvents.map((event) => [keyOfServer(event), message(event, nameOfServer(event), serverFrames[event])]),
    ),
  };
}

const message = (event: string, schema: string, data: z.ZodType): JsonSchema => ({
  name: event,
  summary: data.description,
  correlationId: { location: '$message.payload#/ref' },
  payload: {
    type: 'object',
    properties: { event: { const: event }, ref: { $ref: referenceTo('Ref') }, data: { $ref: referenceTo(schema) } },
    required: mayBeAbsent(data) ? ['event'] : ['event', 'data'],
  },
});

const namedSchemas: Record<string, z.ZodType> = {
  Ref: frameSchema.shape.ref,
  ...Object.fromEntries(clientEvents.map((event) => [nameOfClient(event), clientFrames[event]])),
  ...Object.fromEntries(serverEvents.map((event) => [nameOfServer(event), serverFrames[event]])),
  User: userSchema,
  Person: personSchema,
  LiveEvent: liveEventSchema,
  LiveEnvelope: liveEnvelopeSchema,
  ...namedEventSchemas,
  InputError: inputErrorSchema,
};
