#!/bin/sh
# Builds the image on the base image that the Dockerfile names by digest, and writes what is in it:
#   deploy/build-image.sh [TAG]      the tag is thread-reply-bff:<version of package.json> unless given
# NODE_IMAGE=NAME@sha256:… builds on another one.
# Leaves TAG, and thread-reply-bff.cdx.json: the packages of the image as CycloneDX (an SBOM). Needs docker and npm.
set -eu
cd "$(dirname -- "$0")/.."
base=${NODE_IMAGE:-$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile)}
tag=${1:-thread-reply-bff:$(node -p 'require("./package.json").version')}

docker build --tag "$tag" \
  --build-arg "NODE_IMAGE=$base" \
  --build-arg "BUILD_COMMIT=$(git rev-parse HEAD)" \
  --label "org.opencontainers.image.revision=$(git rev-parse HEAD)" \
  --label "org.opencontainers.image.base.name=${base%@*}" \
  --label "org.opencontainers.image.base.digest=${base#*@}" .
npm sbom --package-lock-only --omit=dev --omit=optional --sbom-format=cyclonedx >thread-reply-bff.cdx.json
echo "$tag, on $base; its packages: thread-reply-bff.cdx.json"
