import { type WebSocket, WebSocketServer } from 'ws';

/**
 * The floor: passes every frame on to all sockets of its room, and does nothing else. No accounts, no storage, no order.
 * Sockets say their room in the path; prints its port.
 */
const rooms = new Map<string, Set<WebSocket>>();
const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false }, () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' ? address?.port : ''}\n`);
});
server.on('connection', (socket, request) => {
  const room = request.url ?? '/';
  const sockets = rooms.get(room) ?? new Set();
  rooms.set(room, sockets.add(socket));
  socket.on('close', () => sockets.delete(socket));
  socket.on('message', (data) => {
    for (const other of sockets) other.send(data as Buffer, { binary: false });
  });
});
