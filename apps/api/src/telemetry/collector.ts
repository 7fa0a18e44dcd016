import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Logger } from 'pino';
import { about } from '../config.js';
import { newId } from '../new-id.js';
import type { TelemetrySettings } from './telemetry-settings.js';

/** Milliseconds that what is left may take to be sent at a shutdown. */
export const FAREWELL_MS = 3_000;

/** Says who sends: this process of this release. */
export const resourceOf = (settings: TelemetrySettings): Resource =>
  resourceFromAttributes({
    'service.version': about.version,
    'service.instance.id': instance,
    ...settings.OTEL_RESOURCE_ATTRIBUTES,
    'service.name': settings.OTEL_SERVICE_NAME,
  });

const instance = newId();

/** What all exporters are made with. */
export const exporterOptions = (settings: TelemetrySettings, url: string) => ({
  url,
  headers: { ...settings.OTEL_EXPORTER_OTLP_HEADERS },
  timeoutMillis: settings.OTEL_EXPORTER_OTLP_TIMEOUT,
});

interface Exporter<T> {
  export(batch: T, done: (result: ExportResult) => void): void;
}

/** Logs when a collector stops taking what it is sent, and when it takes it again, but not every failure in between. */
export function tellOutages<T, E extends Exporter<T>>(exporter: E, signal: 'traces' | 'metrics', log: Logger): E {
  const send = exporter.export.bind(exporter);
  let failing = false;
  exporter.export = (batch, done) =>
    send(batch, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      // The message of the error may quote the answer; its address may hold a credential.
      if (failed && !failing)
        log.warn({ signal }, 'The collector of telemetry does not take what it is sent; the service is not affected.');
      if (!failed && failing) log.info({ signal }, 'The collector of telemetry takes what it is sent again.');
      failing = failed;
      done(result);
    });
  return exporter;
}
