#!/bin/sh
# Builds helm and kubeconform, and makes the schemas of Kubernetes and of operators that it checks with, for the tests of the chart; and versitygw, an
# S3 server, for those of backups. Needs Go. They are kept
# by version in ~/.cache/verbatim-tools, or in $VERBATIM_TOOLS, where the tests find them. Takes about five minutes of processor time.
set -eu
tools="${VERBATIM_TOOLS:-$HOME/.cache/verbatim-tools}"
here="$(dirname "$(readlink -f "$0")")"
export CGO_ENABLED=0

install() {
  [ -x "$tools/$1/$2" ] || GOBIN="$tools/$1" nice go install -trimpath -ldflags '-s -w' "$3"
}

cd /
install helm-3.19.5 helm helm.sh/helm/v3/cmd/helm@v3.19.5
install kubeconform-0.7.0 kubeconform github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
install versitygw-1.8.0 versitygw github.com/versity/versitygw/cmd/versitygw@v1.8.0
module() {
  go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)",/\1/p'
}

schemas="$tools/schemas-1.34.4"
if [ ! -d "$schemas" ]; then
  rm -rf "$schemas.new"
  prometheus="$(module github.com/prometheus-operator/prometheus-operator@v0.84.0)/example/prometheus-operator-crd"
  node "$here/schemas.js" "$schemas.new" \
    "$(module k8s.io/kubernetes@v1.34.4)/api/openapi-spec/swagger.json" \
    "$(module github.com/cloudnative-pg/cloudnative-pg@v1.27.0)/config/crd/bases/postgresql.cnpg.io_clusters.yaml" \
    "$(module sigs.k8s.io/gateway-api@v1.3.0)/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml" \
    "$prometheus/monitoring.coreos.com_servicemonitors.yaml" \
    "$prometheus/monitoring.coreos.com_prometheusrules.yaml"
  mv "$schemas.new" "$schemas"
fi
