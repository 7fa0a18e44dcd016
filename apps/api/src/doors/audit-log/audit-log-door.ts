import { QueryBus } from '@nestjs/cqrs';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuthenticateQuery } from '../../application/sessions/authentication.js';
import { permissionProblem } from '../../application/sessions/permission.js';
import { GetLogCheckpointQuery, GetLogKeysQuery, GetLogTileQuery } from '../../application/transparency/log-queries.js';
import { CONFIG } from '../../composition/process-module.js';
import type { Config } from '../../config.js';
import type { Host } from '../../host/host.js';
import { type Application, door } from '../../host/part.js';
import { limitedFor } from '../../limits/limited.js';
import { Limits } from '../../limits/limits.js';
import { bearerIn } from '../bearer.js';
import { makeNativeScope } from '../native-scope.js';
import { Problems } from '../problems.js';
import { Refusal } from '../refusal.js';

const TEXT = 'text/plain; charset=utf-8';
const BYTES = 'application/octet-stream';

/** The transparency log in the form of c2sp.org/tlog-tiles, for auditors or for everyone. It contains hashes only. */
export const auditLogDoor = door({
  name: 'audit-log',
  async open(application, host) {
    const { AUDIT_LOG } = application.get<Config>(CONFIG);
    if (AUDIT_LOG === 'off') return {};
    const problems = application.get(Problems);
    await host.main.scope(async (scope) => {
      await makeNativeScope(scope, host);
      scope.setErrorHandler((error, request, reply) => problems.answer(error, request, reply));
      const admit = AUDIT_LOG === 'public' ? visiting(application, host) : auditing(application, host);
      addRoutes(scope, application, { admit, visit: visiting(application, host), shared: AUDIT_LOG === 'public' });
    });
    return {};
  },
});

type Admission = (request: FastifyRequest) => Promise<void>;

interface Rules {
  /** Throws a Refusal if the caller may not read the log. */
  readonly admit: Admission;
  readonly visit: Admission;
  /** Whether shared caches may store what never changes. */
  readonly shared: boolean;
}

function addRoutes(
  scope: Parameters<typeof makeNativeScope>[0],
  application: Application,
  { admit, visit, shared }: Rules,
): void {
  const queries = application.get(QueryBus);
  const forGood = `${shared ? 'public' : 'private'}, max-age=31536000, immutable`;

  scope.get('/audit/log/checkpoint', async (request, reply) => {
    await admit(request);
    const note = await queries.execute(new GetLogCheckpointQuery());
    if (note === null) throw new Refusal('unavailable', 'There is no checkpoint with its quorum yet.');
    return answer(reply, TEXT, 'no-cache', note);
  });
  scope.get('/audit/log/keys', async (request, reply) => {
    await visit(request);
    return answer(reply, TEXT, 'no-cache', await queries.execute(new GetLogKeysQuery()));
  });
  scope.get<{ Params: { '*': string } }>('/audit/log/tile/*', async (request, reply) => {
    await admit(request);
    const tile = await queries.execute(new GetLogTileQuery(`tile/${request.params['*']}`));
    if (!tile) throw new Refusal('not_found', 'The published log has no such tile.');
    return answer(reply, BYTES, forGood, tile);
  });
}

const answer = (reply: FastifyReply, type: string, caching: string, body: string | Buffer) =>
  reply.type(type).header('cache-control', caching).send(body);

/** Admits everyone, within the limits for visitors. */
function visiting(application: Application, { proxies }: Host): Admission {
  const limits = application.get(Limits);
  return async ({ raw }) => {
    const tooSoon = limits.visit(proxies.addressOf(raw));
    if (tooSoon) throw Refusal.of(tooSoon);
  };
}

/** Admits auditors and administrators. */
function auditing(application: Application, host: Host): Admission {
  const [queries, limits] = [application.get(QueryBus), application.get(Limits)];
  const visit = visiting(application, host);
  const required = { role: 'auditor', scope: 'read', openToAuditors: true, beforeSecondFactor: false } as const;
  return async (request) => {
    const bearer = bearerIn(request.headers.authorization);
    const identity = bearer ? await queries.execute(new AuthenticateQuery({ bearer })) : null;
    if (!identity) {
      await visit(request);
      throw new Refusal('unauthenticated', 'Sign in and send the access token as a bearer token.');
    }
    const tooSoon = limitedFor(limits.account(identity.actor.id).reads.spend());
    if (tooSoon) throw Refusal.of(tooSoon);
    const problem = permissionProblem(identity, required);
    if (problem) throw Refusal.of(problem);
  };
}
