#!/bin/sh
# Builds helm and kubeconform, and makes the schemas that kubeconform checks with, for the tests of the chart. Needs Go. They are kept
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
if [ ! -d "$tools/kubernetes-1.34.4" ]; then
  module="$(go mod download -json k8s.io/kubernetes@v1.34.4 | sed -n 's/.*"Dir": "\(.*\)",/\1/p')"
  node "$here/kubernetes-schemas.js" "$module/api/openapi-spec/swagger.json" "$tools/kubernetes-1.34.4.new"
  mv "$tools/kubernetes-1.34.4.new" "$tools/kubernetes-1.34.4"
fi
