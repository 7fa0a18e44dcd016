import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { forDashboard, forDocs, registerHelmet } from '../rest/security-headers.js';

/** Serves what people look at in a browser: the API's page at /docs, and the dashboard at /admin/. */
export async function servePages(app: NestFastifyApplication): Promise<void> {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const swaggerUi = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  await server.register(async (docs) => {
    await registerHelmet(docs, forDocs);
    await docs.register(fastifyStatic, {
      root: swaggerUi,
      prefix: '/docs/assets/',
      index: false,
      decorateReply: false,
    });
    docs.get('/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
    docs.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(start));
  });

  const dashboard = fileURLToPath(new URL('../../../../admin/out/', import.meta.url));
  await server.register(async (admin) => {
    await registerHelmet(admin, await forDashboard(dashboard));
    const files = { root: dashboard, prefix: '/admin/', redirect: false, preCompressed: true, decorateReply: false };
    await admin.register(fastifyStatic, files);
  });
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
