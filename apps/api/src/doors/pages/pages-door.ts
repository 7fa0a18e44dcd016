import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { door } from '../../host/part.js';
import { Problems } from '../problems.js';
import { addBrowserHeaders, forAnswers, registerHelmet } from '../security-headers.js';
import { forDashboard, forDocs } from './page-policies.js';

/** What people open in a browser: the API reference at /docs, and the dashboard at /admin/. */
export const pagesDoor = door({
  name: 'pages',
  async open(application, host) {
    const problems = application.get(Problems);
    const page = (policy: FastifyHelmetOptions, build: (scope: FastifyInstance) => unknown) =>
      host.main.scope(async (scope) => {
        scope.setErrorHandler((error, request, reply) => problems.answer(error, request, reply));
        addBrowserHeaders(scope, host.origins, host.proxies);
        await registerHelmet(scope, policy);
        await build(scope);
      });
    await page(forDocs, serveDocs);
    await page(await forDashboard(dashboard), serveDashboard);
    await page(forAnswers, redirectToDashboard);
    return {};
  },
});

const dashboard = fileURLToPath(new URL('../../../../admin/out/', import.meta.url));

async function serveDocs(scope: FastifyInstance): Promise<void> {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  await scope.register(fastifyStatic, { root, prefix: '/docs/assets/', index: false, decorateReply: false });
  scope.get('/docs', (_request, reply) => reply.type('text/html; charset=utf-8').send(docsPage));
  scope.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(docsScript));
}

async function serveDashboard(scope: FastifyInstance): Promise<void> {
  const files = { root: dashboard, prefix: '/admin/', redirect: false, preCompressed: true, decorateReply: false };
  await scope.register(fastifyStatic, files);
}

function redirectToDashboard(scope: FastifyInstance): void {
  for (const path of ['/', '/admin']) scope.get(path, (_request, reply) => reply.redirect('/admin/'));
}

const docsPage = `<!doctype html>
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

const docsScript = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#api', deepLinking: true, validatorUrl: null });\n`;
