import { isReady, type Namespace, until } from './kubectl.testing.js';

const PORT = 5432;

/** Runs PostgreSQL as a pod on the first node, as the Service `postgres`; answers the address of its database from here. */
export async function postgres(namespace: Namespace): Promise<string> {
  const labels = { app: 'postgres' };
  await namespace.apply(
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'postgres' },
      spec: { selector: labels, ports: [{ port: PORT }] },
    },
    { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'postgres', labels }, spec },
  );
  await until(async () => isReady(await namespace.get('pod', 'postgres')));
  const { status } = await namespace.get('pod', 'postgres');
  return `postgres://verbatim@${status.podIP}:${PORT}/postgres`;
}

const script = `
  set -e
  /postgres/bin/initdb -D /data/db -U verbatim -E UTF8 --locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C -A trust
  echo 'host all all all trust' >> /data/db/pg_hba.conf
  exec /postgres/bin/postgres -D /data/db -c listen_addresses='*' -c unix_socket_directories=/tmp -c max_connections=300
`;

const spec = {
  nodeName: 'node1',
  automountServiceAccountToken: false,
  securityContext: {
    runAsNonRoot: true,
    runAsUser: 70,
    runAsGroup: 70,
    fsGroup: 70,
    seccompProfile: { type: 'RuntimeDefault' },
  },
  containers: [
    {
      name: 'postgres',
      image: 'localhost/postgres:18',
      imagePullPolicy: 'Never',
      command: ['/bin/sh', '-c', script],
      ports: [{ containerPort: PORT }],
      readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
      securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      resources: { requests: { cpu: '100m', memory: '256Mi' }, limits: { memory: '1Gi' } },
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'shared-memory', mountPath: '/dev/shm' },
        { name: 'temporary', mountPath: '/tmp' },
      ],
    },
  ],
  volumes: [
    { name: 'data', emptyDir: {} },
    { name: 'temporary', emptyDir: {} },
    { name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: '256Mi' } },
  ],
};
