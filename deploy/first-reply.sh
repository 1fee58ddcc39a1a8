#!/bin/sh
# Sends a reply as alice, with a token signed by the secret of .env.example, and prints the answer:
#   deploy/first-reply.sh [URL]      the URL is http://127.0.0.1:3000 unless given
# Needs curl and openssl. Ends with 0 when the reply was sent.
set -eu
url=${1:-http://127.0.0.1:3000}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
example() { sed -n "s/^$1=//p" "$root/.env.example"; }
base64url() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }

claims=$(printf '{"iss":"%s","aud":"%s","sub":"alice","exp":%s}' \
  "$(example AUTH_JWT_ISSUER)" "$(example AUTH_JWT_AUDIENCE)" "$(($(date +%s) + 600))")
signed=$(printf '{"alg":"HS256"}' | base64url).$(printf %s "$claims" | base64url)
signature=$(printf %s "$signed" | openssl dgst -sha256 -hmac "$(example AUTH_JWT_SECRET)" -binary | base64url)

curl --silent --show-error --fail-with-body --max-time 20 "$url/threads/100/replies" \
  --header "authorization: Bearer $signed.$signature" \
  --header "idempotency-key: $(openssl rand -hex 16)" \
  --header 'content-type: application/json' \
  --data '{"data":{"text":"The first reply."}}'
echo
