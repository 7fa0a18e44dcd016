import type { FastifyRequest } from 'fastify';
import { door } from '../../host/part.js';
import { makeNativeScope } from '../native-scope.js';
import { methodsAt, noSuchPlace } from './places.js';
import { ProblemFilter } from './problem-filter.js';
import { RestModule } from './rest-module.js';

/**
 * The REST API. Its controllers are Nest's, so it has the scope that Nest routes in. It also responds where no other door of
 * the main listener has a route.
 */
export const restDoor = door({
  name: 'rest',
  module: RestModule,
  async configure(app, scope, host) {
    const problems = app.get(ProblemFilter);
    host.main.faults = problems;
    app.useGlobalFilters(problems);
    await makeNativeScope(scope, host, (request) => {
      if (isNowhere(request)) throw noSuchPlace(request);
    });
  },
  open: () => ({}),
});

/**
 * No route, or one that only a placeholder matches: `PATCH /v1/users/export` would be mistaken for a person named "export".
 * Decided before the body is read, so that the response does not depend on it.
 */
function isNowhere({ is404, method, url }: FastifyRequest): boolean {
  if (is404) return true;
  const methods = methodsAt(url);
  return methods.length > 0 && !methods.includes(method);
}
