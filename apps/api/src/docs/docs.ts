import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** Serves what people look at in a browser: the API's page at /docs, and the dashboard at /admin/. */
export async function servePages(app: NestFastifyApplication): Promise<void> {
  const server = app.getHttpAdapter().getInstance();
  const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  await server.register(
    fastifyStatic as never,
    { root: swaggerUi, prefix: '/docs/assets/', index: false, decorateReply: false } as never,
  );
  server.get('/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  server.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(start));

  const dashboard = fileURLToPath(new URL('../../../admin/out/', import.meta.url));
  await server.register(
    fastifyStatic as never,
    { root: dashboard, prefix: '/admin/', redirect: false, preCompressed: true, decorateReply: false } as never,
  );
  server.get('/admin', (_request, reply) => reply.redirect('/admin/'));
  server.get('/', (_request, reply) => reply.redirect('/admin/'));
}

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Verbatim API</title>
    <link rel="stylesheet" href="/docs/assets/swagger-ui.css">
  </head>
  <body>
    <main id="api"></main>
    <script src="/docs/assets/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const start = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });\n`;
