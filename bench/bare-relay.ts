import { LoadSocket } from './load-socket.js';
import { cpuOfTree, residentMiB, startNode } from './processes.js';
import { grid, type Subject } from './subject.js';

/** The floor: relay.ts in some processes, each with rooms of its own. */
export async function startRelay(processes = 1, nodeArguments: readonly string[] = []): Promise<BareRelay> {
  const nodes = Array.from({ length: processes }, () =>
    startNode(new URL('relay.js', import.meta.url), process.env, nodeArguments),
  );
  const ports = await Promise.all(nodes.map(async (node) => (await node.prints(/(\d+)\n/))[1]));
  return {
    node: nodes[0] as BareRelay['node'],
    gather: (gathering) => {
      const { door = () => 0 } = gathering;
      const name = Math.random().toString(36).slice(2);
      return grid(gathering, async (room, person) => ({
        socket: await LoadSocket.open(`ws://127.0.0.1:${ports[door(room, person)]}/${name}-${room}`),
        frame: (ref, messageId, text) =>
          `{"event":"post","ref":${ref},"data":{"room":"${name}-${room}","messageId":"${messageId}","text":${text}}}`,
      }));
    },
    settled: async () => undefined,
    cpu: () => ({ server: nodes.reduce((sum, { pid }) => sum + cpuOfTree(pid), 0), database: 0 }),
    residentMiB: () => residentMiB(nodes[0]?.pid ?? 0),
    stop: async () => {
      for (const node of nodes) await node.end();
    },
  };
}

interface BareRelay extends Subject {
  readonly node: ReturnType<typeof startNode>;
}
