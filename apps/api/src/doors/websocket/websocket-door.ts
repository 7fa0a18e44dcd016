import { Module } from '@nestjs/common';
import { Figure } from '../../composition/contributions.js';
import { refuseHost } from '../../host/host-header.js';
import { door } from '../../host/part.js';
import { Limits } from '../../limits/limits.js';
import { LoadHere } from '../../live/load-here.js';
import { refusalOfFault } from '../problems.js';
import { Refusal } from '../refusal.js';
import { FrameHandlers } from './frame-handlers.js';
import { Gateway } from './gateway.js';
import { Handshake } from './handshake.js';
import { SocketAdapter } from './socket-adapter.js';

@Module({ providers: [Gateway, Handshake, FrameHandlers], exports: [Gateway] })
class WebSocketModule {}

/** The WebSocket at /v1/ws. */
export const webSocketDoor = door({
  name: 'websocket',
  module: WebSocketModule,
  configure(app, _scope, { main, origins, proxies }) {
    const limits = app.get(Limits);
    const adapter = new SocketAdapter(
      app,
      main,
      () => app.get(Gateway),
      (request) => {
        if (!origins.admits(request)) return foreignOrigin;
        const fault = refuseHost(request);
        if (fault) return refusalOfFault(fault);
        const rejection = limits.refuseUpgrade(proxies.addressOf(request));
        if (rejection) return Refusal.of(rejection);
        main.connections.upgraded(request.socket);
        return null;
      },
    );
    app.useWebSocketAdapter(adapter);
  },
  open(application, host) {
    const gateway = application.get(Gateway);
    application.get(LoadHere).add(() => ({ sockets: gateway.size, people: gateway.people }));
    return {
      async drain() {
        gateway.announceDrain();
        await host.drainPause();
        gateway.stopListening();
      },
      close: () => gateway.closeAll(),
      figures: [
        new Figure('verbatim_sockets', 'Open WebSocket connections.', () => gateway.size),
        new Figure('verbatim_people', 'Accounts that have an open connection here.', () => gateway.people),
      ],
    };
  },
});

const foreignOrigin = new Refusal('forbidden', 'Pages of this origin may not open sockets here.');
