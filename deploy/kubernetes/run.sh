#!/bin/bash
# Tests the image and the chart on a Kubernetes of two nodes in namespaces of their own: `npm run test:kubernetes`. Needs Linux with cgroups
# of version 1, root, Go, and the packages of Debian that README.md names; without them it says so in one line and ends well. With arguments
# it runs that command in place of the tests, such as bash, to look around.
set -euo pipefail
here="$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"
root="$here/../.."
export VERBATIM_TOOLS="${VERBATIM_TOOLS:-$HOME/.cache/verbatim-tools}"

skip() {
  echo "Skipped: tests on a real Kubernetes. $1"
  exit 0
}

if [[ $(uname) != Linux ]] || ((EUID != 0)); then skip 'They need Linux and root.'; fi
for tool in go etcd containerd runc buildah mmdebstrap conntrack iptables ipset socat gcc openssl unshare; do
  command -v "$tool" >/dev/null || skip "$tool is missing; README.md in deploy/kubernetes says what to install."
done
sh "$here/../helm/tools.sh" && "$here/tools.sh" || skip 'The binaries of Kubernetes could not be built.'

work="$(mktemp -d /var/tmp/verbatim-kubernetes-XXXXXX)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/state/logs"
export BINARIES="$VERBATIM_TOOLS/kubernetes-1.34.4" IMAGES="$work/images"
export PATH="$VERBATIM_TOOLS/helm-3.19.5:$BINARIES:$PATH"
if [[ -n ${VERBATIM_TEST_IMAGES:-} ]]; then
  IMAGES="$VERBATIM_TEST_IMAGES"
else
  node "$root/deploy/image/assemble.js" "$work/build/app"
  "$here/images.sh" "$work/build" "$IMAGES"
fi

cd "$root"
if (($# == 0)); then set -- node_modules/.bin/vitest run --config deploy/kubernetes/vitest.config.ts; fi
status=0
bash "$here/cluster/enter.sh" "$work/state" "$@" || status=$?
if ((status != 0)); then
  mkdir -p "$here/logs"
  cp "$work/state/logs/"* "$here/logs/" || true
  echo "What the parts of the cluster wrote is in $here/logs."
fi
exit "$status"
