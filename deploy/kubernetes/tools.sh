#!/bin/sh
# Builds what the tests on a real Kubernetes need and Debian does not have: Kubernetes itself, what enforces NetworkPolicies, DNS and metrics; and
# collects definitions of the operators' objects. Needs Go. Everything is kept by version in ~/.cache/verbatim-tools, or in $VERBATIM_TOOLS.
# Takes about half an hour of processor time, once.
set -eu
tools="${VERBATIM_TOOLS:-$HOME/.cache/verbatim-tools}"
here="$(dirname "$(readlink -f "$0")")"
version=1.34.4
folder="$tools/kubernetes-$version"
export CGO_ENABLED=0
mkdir -p "$folder"

if [ ! -x "$folder/kubernetes" ]; then
  settings='-s -w'
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    settings="$settings -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=34 -X $package.gitTreeState=clean"
  done
  (cd "$here/binaries" && nice go build -trimpath -ldflags "$settings" -o "$folder/kubernetes" .)
fi
for command in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do ln -sf kubernetes "$folder/$command"; done

build() {
  [ -x "$folder/$1" ] || GOBIN="$folder" nice go install -trimpath -ldflags '-s -w' "$2"
}

cd /
build kube-router github.com/cloudnativelabs/kube-router/v2/cmd/kube-router@v2.1.0
build coredns github.com/coredns/coredns@v1.12.0
build metrics-server sigs.k8s.io/metrics-server/cmd/metrics-server@v0.8.0

# The same versions as in deploy/helm/tools.sh.
definitions() {
  module="$(go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')"
  shift
  for file in "$@"; do install -m 644 "$module/$file" "$folder/definitions.new/"; done
}

if [ ! -d "$folder/definitions" ]; then
  rm -rf "$folder/definitions.new"
  mkdir "$folder/definitions.new"
  definitions github.com/cloudnative-pg/cloudnative-pg@v1.27.0 config/crd/bases/postgresql.cnpg.io_clusters.yaml
  definitions sigs.k8s.io/gateway-api@v1.3.0 config/crd/standard/gateway.networking.k8s.io_httproutes.yaml
  prometheus=example/prometheus-operator-crd
  definitions github.com/prometheus-operator/prometheus-operator@v0.84.0 \
    $prometheus/monitoring.coreos.com_servicemonitors.yaml $prometheus/monitoring.coreos.com_prometheusrules.yaml
  mv "$folder/definitions.new" "$folder/definitions"
fi
