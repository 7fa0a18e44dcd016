import { Controller, Header, Inject, Optional, Res } from '@nestjs/common';
import { QueryBus } from '@nestjs/cqrs';
import { type AnswerOf, asyncapi, openapi } from '@verbatim/protocol';
import type { FastifyReply } from 'fastify';
import { GetNoticesQuery } from '../../../application/operation/operation-queries.js';
import { METRICS_TYPE, MetricsText } from '../../../composition/metrics-text.js';
import { Readiness } from '../../../composition/readiness.js';
import { about } from '../../../config.js';
import { Refusal } from '../../refusal.js';
import { Call } from '../call.js';

const JSON_TYPE = 'application/json; charset=utf-8';

@Controller()
export class OperationController {
  /** Encoded once, because anybody may request them and encoding takes milliseconds. */
  private readonly openApi = Buffer.from(JSON.stringify(openapi(about)));
  private readonly asyncApi = Buffer.from(JSON.stringify(asyncapi(about)));

  constructor(
    private readonly readiness: Readiness,
    private readonly queries: QueryBus,
    @Optional() @Inject(MetricsText) private readonly metrics?: MetricsText,
  ) {}

  @Call('getLiveness')
  live(): AnswerOf<'getLiveness'> {
    return { status: 'ok' };
  }

  @Call('getReadiness')
  async ready(): Promise<AnswerOf<'getReadiness'>> {
    const missing = await this.readiness.missing();
    if (missing.length > 0) throw new Refusal('unavailable', `Not ready: ${missing.join(', ')}.`);
    return { status: 'ok' };
  }

  @Call('getMetrics')
  @Header('content-type', METRICS_TYPE)
  async metricsText(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    if (!this.metrics) throw new Refusal('unavailable', 'Metrics are not available in this process.');
    if (!this.metrics.atMainListener) throw new Refusal('not_found', 'Metrics have a port of their own.');
    reply.header('cache-control', 'no-store');
    return this.metrics.text();
  }

  @Call('getAbout')
  async about(): Promise<AnswerOf<'getAbout'>> {
    return { ...about, ...(await this.queries.execute(new GetNoticesQuery())) };
  }

  @Call('getOpenApi')
  @Header('content-type', JSON_TYPE)
  openApiDocument(): Buffer {
    return this.openApi;
  }

  @Call('getAsyncApi')
  @Header('content-type', JSON_TYPE)
  asyncApiDocument(): Buffer {
    return this.asyncApi;
  }
}
