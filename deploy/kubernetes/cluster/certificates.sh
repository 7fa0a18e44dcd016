#!/bin/bash
# certificates.sh <folder>: an authority, a certificate for each part of the cluster, and the files with which they reach the API server.
set -euo pipefail
folder="$1"
mkdir -p "$folder/pki"
cd "$folder/pki"

# Name, subject, and other names.
certificate() {
  local extensions=$'keyUsage=digitalSignature,keyEncipherment\nextendedKeyUsage=serverAuth,clientAuth'
  if [[ -n ${3:-} ]]; then extensions+=$'\n'"subjectAltName=$3"; fi
  openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile <(echo "$extensions") -out "$1.crt" 2>/dev/null
}

access() {
  cat >"$folder/$1.kubeconfig" <<END
apiVersion: v1
kind: Config
current-context: test
clusters: [{name: test, cluster: {server: "https://10.250.0.1:6443", certificate-authority: "$PWD/ca.crt"}}]
contexts: [{name: test, context: {cluster: test, user: $1}}]
users: [{name: $1, user: {client-certificate: "$PWD/$1.crt", client-key: "$PWD/$1.key"}}]
END
}

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test -keyout ca.key -out ca.crt 2>/dev/null
service=kubernetes.default.svc
certificate apiserver /CN=kube-apiserver \
  "DNS:kubernetes,DNS:kubernetes.default,DNS:$service,DNS:$service.cluster.local,IP:127.0.0.1,IP:10.250.0.1,IP:10.96.0.1"
certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client
certificate front-proxy /CN=front-proxy
certificate admin /O=system:masters/CN=admin
certificate controllers /CN=system:kube-controller-manager
certificate scheduler /CN=system:kube-scheduler
certificate proxy /CN=system:kube-proxy
certificate node1 /O=system:nodes/CN=system:node:node1 DNS:node1,IP:10.250.0.1
certificate node2 /O=system:nodes/CN=system:node:node2 DNS:node2,IP:10.250.0.2
for name in admin controllers scheduler proxy node1 node2; do access "$name"; done
openssl genrsa -out accounts.key 2048 2>/dev/null
openssl rsa -in accounts.key -pubout -out accounts.pub 2>/dev/null
