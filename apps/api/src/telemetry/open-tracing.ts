import type { Logger } from 'pino';
import { endpointOf, type TelemetrySettings } from './telemetry-settings.js';
import type { Tracing } from './tracing.js';

/** Undefined when traces are off; loads OpenTelemetry only if they are on. */
export async function openTracing(settings: TelemetrySettings, log: Logger): Promise<Tracing | undefined> {
  if (endpointOf(settings, 'traces') === undefined) return undefined;
  const { OpenTelemetryTracing } = await import('./spans.js');
  return new OpenTelemetryTracing(settings, log);
}
