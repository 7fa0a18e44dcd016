#!/bin/bash
# node.sh 1|2: containerd, kubelet, kube-proxy and the enforcer of NetworkPolicies of one node, in the current namespaces for network and mounts.
set -euo pipefail
number="$1"
name="node$number"
node="$STATE/$name"
mkdir -p "$node"/{cni.d,containerd,pods,kubelet}
cd "$node"

main() {
  # What containerd, runc and the kubelet keep at fixed places is kept for each node by itself.
  mount --make-rshared /
  for folder in /var/lib/cni /var/log/containers /run/netns /run/containerd /run/runc /usr/libexec/kubernetes /var/lib/kubelet; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
  done
  if ((number > 1)); then connect; fi
  for controller in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do mkdir -p "/sys/fs/cgroup/$controller/verbatim-test-$number"; done
  for file in cpus mems; do cat "/sys/fs/cgroup/cpuset/cpuset.$file" >"/sys/fs/cgroup/cpuset/verbatim-test-$number/cpuset.$file"; done
  # All pods of a node together would count as one process of the machine.
  echo 8192 >"/sys/fs/cgroup/cpu/verbatim-test-$number/cpu.shares"
  write_settings
  start containerd containerd --config containerd.toml
  until ctr version >/dev/null 2>&1; do sleep 0.3; done
  for archive in "$IMAGES"/*.tar; do ctr -n k8s.io images import "$archive" >/dev/null; done
  until kubectl get --raw /readyz >/dev/null 2>&1; do sleep 0.3; done
  start proxy kube-proxy --config proxy.yaml
  start kubelet kubelet --config kubelet.yaml --kubeconfig "$STATE/$name.kubeconfig" --hostname-override "$name" \
    --node-ip "10.250.0.$number" --root-dir "$node/kubelet" --cert-dir "$node/kubelet/pki"
  until kubectl get node "$name" >/dev/null 2>&1; do sleep 0.3; done
  start policies kube-router --run-router=false --run-service-proxy=false --run-firewall=true --run-loadbalancer=false --enable-cni=false \
    --kubeconfig="$KUBECONFIG" --hostname-override="$name" --service-cluster-ip-range=10.96.0.0/16 --health-port=0 --metrics-port=0
  wait
}

connect() {
  echo $BASHPID >"$STATE/run/$name.pid"
  until ip link show eth0 >/dev/null 2>&1; do sleep 0.1; done
  ip link set lo up
  ip addr add "10.250.0.$number/24" dev eth0
  ip link set eth0 up
  ip route add default via 10.250.0.254 dev eth0
  ip route add 10.244.1.0/24 via 10.250.0.1
  echo 1 >/proc/sys/net/ipv4/ip_forward
}

write_settings() {
  cat >containerd.toml <<END
version = 2
root = "$node/containerd/root"
state = "$node/containerd/state"
oom_score = 0
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_hugetlb_controller = true
  tolerate_missing_hugetlb_controller = true
  stream_server_address = "127.0.0.1"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "/usr/sbin/runc"
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$node/cni.d"
END
  cat >cni.d/network.conflist <<END
{"cniVersion": "1.0.0", "name": "network", "plugins": [{"type": "ptp", "ipMasq": false, "mtu": 1500, "ipam": {
  "type": "host-local", "dataDir": "$node/cni-data",
  "ranges": [[{"subnet": "10.244.$number.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
  cat >kubelet.yaml <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$STATE/pki/ca.crt"}}
authorization: {mode: Webhook}
tlsCertFile: $STATE/pki/$name.crt
tlsPrivateKeyFile: $STATE/pki/$name.key
address: 0.0.0.0
cgroupDriver: cgroupfs
cgroupRoot: /verbatim-test-$number
failCgroupV1: false
protectKernelDefaults: true
oomScoreAdj: 0
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
podLogsDir: $node/pods
resolvConf: $STATE/resolv.conf
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
failSwapOn: false
evictionHard: {nodefs.available: "1%", imagefs.available: "1%", memory.available: "50Mi"}
imageGCHighThresholdPercent: 100
maxPods: 30
nodeStatusUpdateFrequency: 4s
syncFrequency: 10s
END
  cat >proxy.yaml <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: 10.244.0.0/16
clientConnection: {kubeconfig: "$STATE/proxy.kubeconfig"}
iptables: {masqueradeAll: false, minSyncPeriod: 0s, syncPeriod: 30s}
conntrack: {maxPerCore: 0, min: 0, tcpCloseWaitTimeout: 0s, tcpEstablishedTimeout: 0s}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
hostnameOverride: $name
END
}

start() {
  local program="$1"
  shift
  "$@" >"$STATE/logs/$program$number.log" 2>&1 &
  echo $! >"$STATE/run/$program$number.pid"
}

main
