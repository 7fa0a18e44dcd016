import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { Host } from './host.js';
import { Origins } from './origins.js';
import { Proxies } from './proxies.js';
import { WaitingData } from './waiting-data.js';

@Module({})
class HostModule {}

/** The host and its parts, for doors. */
export function hostModule(host: Host): DynamicModule {
  const providers: Provider[] = [
    { provide: Host, useValue: host },
    { provide: Proxies, useValue: host.proxies },
    { provide: Origins, useValue: host.origins },
    { provide: WaitingData, useValue: host.waitingData },
    { provide: Symbol('figures of the host'), useValue: host.figures },
  ];
  return { module: HostModule, global: true, providers, exports: providers };
}
