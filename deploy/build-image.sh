#!/bin/sh
# Builds the image on the digest of node:24-bookworm-slim that its registry has today, and writes what is in it:
#   deploy/build-image.sh [TAG]      the tag is thread-reply-bff:<version of package.json> unless given
# Leaves TAG, and thread-reply-bff.cdx.json: the packages of the image as CycloneDX (an SBOM). Needs docker and npm.
set -eu
cd "$(dirname -- "$0")/.."
base=node:24-bookworm-slim
tag=${1:-thread-reply-bff:$(node -p 'require("./package.json").version')}

docker pull --quiet "$base"
digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$base")
docker build --tag "$tag" \
  --build-arg "NODE_IMAGE=$digest" \
  --build-arg "BUILD_COMMIT=$(git rev-parse HEAD)" \
  --label "org.opencontainers.image.revision=$(git rev-parse HEAD)" \
  --label "org.opencontainers.image.base.name=$base" \
  --label "org.opencontainers.image.base.digest=${digest#*@}" .
npm sbom --package-lock-only --omit=dev --omit=optional --sbom-format=cyclonedx >thread-reply-bff.cdx.json
echo "$tag, on $digest; its packages: thread-reply-bff.cdx.json"
