import type { Logger } from 'pino';
import { MetricsText } from '../../composition/metrics-text.js';
import { CONFIG, PROCESS_LOG } from '../../composition/process-module.js';
import { unit } from '../../host/part.js';
import { endpointOf, type TelemetrySettings } from '../../telemetry/telemetry-settings.js';

/** Sends the metrics that Prometheus can read to a collector as well, if one is set. Loads OpenTelemetry only then. */
export const telemetryUnit = unit({
  name: 'telemetry',
  open(application) {
    const settings = application.get<TelemetrySettings>(CONFIG);
    if (endpointOf(settings, 'metrics') === undefined) return {};
    let close = async () => {};
    return {
      async start() {
        const { exportMetrics } = await import('./exported-metrics.js');
        close = exportMetrics(application.get(MetricsText), settings, application.get<Logger>(PROCESS_LOG));
      },
      close: () => close(),
    };
  },
});
