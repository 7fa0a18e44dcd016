#!/bin/bash
# Starts a Kubernetes of two nodes in the namespaces of enter.sh: etcd, API server, controllers and scheduler beside the first node; on each
# node containerd, kubelet, kube-proxy and what enforces NetworkPolicies; DNS and metrics. Returns when both nodes are ready. Takes from the
# environment: BINARIES, IMAGES (folder of archives), STATE. Leaves $STATE/admin.kubeconfig, logs, and process ids in $STATE/run.
set -euo pipefail
export HERE="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
export PATH="$BINARIES:$PATH" KUBECONFIG="$STATE/admin.kubeconfig"
pki="$STATE/pki"
mkdir -p "$STATE/run" "$STATE/logs"
cd "$STATE"

main() {
  bash "$HERE/certificates.sh" "$STATE"
  echo 'nameserver 10.96.0.10' >resolv.conf
  ip link add nodes type bridge
  ip addr add 10.250.0.1/24 dev nodes
  ip link set nodes up
  ip route add default via 10.250.0.254 dev nodes
  echo 1 >/proc/sys/net/ipv4/ip_forward
  start_api
  start_second_node
  HOME="$STATE" bash "$HERE/node.sh" 1 >logs/node1.log 2>&1 &
  wait_until 60 kubectl get --raw /readyz
  start_controllers
  start_dns
  start_metrics
  for node in node1 node2; do
    wait_until 120 kubectl get node "$node"
    kubectl wait --for=condition=Ready "node/$node" --timeout=120s >/dev/null
  done
  touch run/ready
}

start_api() {
  start etcd etcd --data-dir "$STATE/etcd" --listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
    --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
  start apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 --bind-address=0.0.0.0 --secure-port=6443 \
    --advertise-address=10.250.0.1 --service-cluster-ip-range=10.96.0.0/16 --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction --allow-privileged=true \
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" --client-ca-file="$pki/ca.crt" \
    --kubelet-client-certificate="$pki/kubelet-client.crt" --kubelet-client-key="$pki/kubelet-client.key" \
    --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --service-account-issuer=https://kubernetes.default.svc \
    --service-account-key-file="$pki/accounts.pub" --service-account-signing-key-file="$pki/accounts.key" \
    --requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy \
    --requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
    --requestheader-extra-headers-prefix=X-Remote-Extra- \
    --proxy-client-cert-file="$pki/front-proxy.crt" --proxy-client-key-file="$pki/front-proxy.key" --enable-aggregator-routing
}

# The second node has a network and mounts of its own, with a cable to the first.
start_second_node() {
  HOME="$STATE" unshare --net --mount --propagation private bash "$HERE/node.sh" 2 >logs/node2.log 2>&1 &
  wait_until 10 test -s run/node2.pid
  ip link add node2 type veth peer name eth0 netns "$(cat run/node2.pid)"
  ip link set node2 master nodes up
  ip route add 10.244.2.0/24 via 10.250.0.2
}

start_controllers() {
  start controllers kube-controller-manager --kubeconfig=controllers.kubeconfig --authentication-kubeconfig=controllers.kubeconfig \
    --authorization-kubeconfig=controllers.kubeconfig --service-account-private-key-file="$pki/accounts.key" --root-ca-file="$pki/ca.crt" \
    --use-service-account-credentials --leader-elect=false --bind-address=127.0.0.1 --horizontal-pod-autoscaler-sync-period=5s \
    --horizontal-pod-autoscaler-initial-readiness-delay=5s --horizontal-pod-autoscaler-cpu-initialization-period=10s
  start scheduler kube-scheduler --kubeconfig=scheduler.kubeconfig --authentication-kubeconfig=scheduler.kubeconfig \
    --authorization-kubeconfig=scheduler.kubeconfig --leader-elect=false --bind-address=127.0.0.1
}

start_dns() {
  cat >Corefile <<END
.:53 {
  bind 10.250.0.1
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $KUBECONFIG
  }
  errors
}
END
  outside_service kube-dns 53 53 10.96.0.10 UDP
  start dns coredns -conf Corefile
}

start_metrics() {
  outside_service metrics-server 443 4443 '' TCP
  kubectl apply -f - >/dev/null <<'END'
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1beta1.metrics.k8s.io}
spec:
  group: metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  insecureSkipTLSVerify: true
  service: {name: metrics-server, namespace: kube-system}
END
  start metrics metrics-server --kubeconfig="$KUBECONFIG" --authentication-kubeconfig="$KUBECONFIG" --authorization-kubeconfig="$KUBECONFIG" \
    --secure-port=4443 --cert-dir="$STATE/run/metrics" --kubelet-preferred-address-types=InternalIP \
    --kubelet-certificate-authority="$pki/ca.crt" --metric-resolution=10s
}

# A Service for a process beside the first node: name, port, port of the process, address, protocol.
outside_service() {
  kubectl apply -f - >/dev/null <<END
apiVersion: v1
kind: Service
metadata: {name: $1, namespace: kube-system}
spec: {clusterIP: "$4", ports: [{name: main, port: $2, targetPort: $3, protocol: $5}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: $1-1, namespace: kube-system, labels: {kubernetes.io/service-name: $1}}
addressType: IPv4
ports: [{name: main, port: $3, protocol: $5}]
endpoints: [{addresses: [10.250.0.1], conditions: {ready: true}}]
END
}

start() {
  local name="$1"
  shift
  HOME="$STATE" "$@" >"logs/$name.log" 2>&1 &
  echo $! >"run/$name.pid"
}

wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= deadline)); then
      echo "This did not come to be: $*" >&2
      exit 1
    fi
    sleep 0.3
  done
}

main
