import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Logger } from 'pino';
import { about } from '../config.js';
import { newId } from '../new-id.js';
import type { TelemetrySettings } from './telemetry-settings.js';

/** Milliseconds that a shutdown waits for the remaining data to be sent. */
export const FAREWELL_MS = 3_000;

/** Identifies the sender: this process of this release. */
export const resourceOf = (settings: TelemetrySettings): Resource =>
  resourceFromAttributes({
    'service.version': about.version,
    'service.instance.id': instance,
    ...settings.OTEL_RESOURCE_ATTRIBUTES,
    'service.name': settings.OTEL_SERVICE_NAME,
  });

const instance = newId();

/** Options common to all exporters. */
export const exporterOptions = (settings: TelemetrySettings, url: string) => ({
  url,
  headers: { ...settings.OTEL_EXPORTER_OTLP_HEADERS },
  timeoutMillis: settings.OTEL_EXPORTER_OTLP_TIMEOUT,
});

interface Exporter<T> {
  export(batch: T, done: (result: ExportResult) => void): void;
}

/** Logs when a collector starts to refuse data, and when it accepts it again, but not every failure in between. */
export function tellOutages<T, E extends Exporter<T>>(exporter: E, signal: 'traces' | 'metrics', log: Logger): E {
  const send = exporter.export.bind(exporter);
  let failing = false;
  exporter.export = (batch, done) =>
    send(batch, (result) => {
      const failed = result.code !== ExportResultCode.SUCCESS;
      // The error message may quote the response, and the collector's address may contain a credential.
      if (failed && !failing)
        log.warn({ signal }, 'The telemetry collector is not accepting data; the service is not affected.');
      if (!failed && failing) log.info({ signal }, 'The telemetry collector is accepting data again.');
      failing = failed;
      done(result);
    });
  return exporter;
}
