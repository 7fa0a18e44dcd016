#!/bin/bash
# enter.sh <folder for state> <command...>: runs the command as the first process of new namespaces for network, mounts and processes, from
# which nothing leads out: when it ends, everything that was started in them ends too. Nothing of the machine is changed. The kubelet writes
# settings of the kernel, so files lie over those. Only cgroups named verbatim-test-* are made outside.
set -euo pipefail
export STATE="$1"
shift
mkdir -p "$STATE/sysctl"

finish() {
  for group in /sys/fs/cgroup/*/verbatim-test-*; do
    if [[ -d $group ]]; then find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true; fi
  done
}
trap finish EXIT

unshare --net --mount --pid --fork --kill-child=KILL --mount-proc --propagation private -- bash -c '
  set -euo pipefail
  mount --make-rshared /
  umount /sys/fs/cgroup/unified 2>/dev/null || true
  for folder in vm kernel fs; do
    mount --bind "/proc/sys/$folder" "/proc/sys/$folder"
    mount -o remount,ro,bind "/proc/sys/$folder"
  done
  for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
    kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    name="${setting%=*}"
    file="$STATE/sysctl/${name//\//.}"
    echo "${setting#*=}" >"$file"
    mount --bind "$file" "/proc/sys/$name"
  done
  ip link set lo up
  # This shell is the first process and collects those whose parents have ended.
  status=0
  "$@" || status=$?
  exit "$status"
' enter "$@"
