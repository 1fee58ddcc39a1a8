#!/usr/bin/env bash
# What compose.yaml starts, with the same configuration files, where no container engine is at hand:
#   deploy/try.sh            serves until Ctrl-C
#   deploy/try.sh --once     ends after the first reply
# Needs redis-server, haproxy, prometheus, curl and openssl, and `npm ci` before.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# The Node that package.json pins.
export PATH="$root/node_modules/.bin:$PATH"
ready_within_s=60

fail() {
  echo "$1" >&2
  exit 1
}

case ${1:-} in
'' | --once) ;;
*) sed -n 's/^# \{0,1\}//;2,5p' "$0" >&2 && exit 64 ;;
esac
for program in redis-server haproxy prometheus curl openssl; do
  command -v "$program" >/dev/null || fail "$program is not installed (apt-get install $program)."
done
[[ -d node_modules ]] || fail 'The packages are missing: run npm ci first.'
for port in 3000 3010 3011 3020 3021 4000 6379 9090; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then fail "Port $port is taken: end what listens there."; fi
done

scratch=$(mktemp -d)
pids=()
end_all() {
  trap - EXIT
  # The last one first: no instance loses its store before it has ended. An interrupted instance waits for nobody.
  for ((index = ${#pids[@]} - 1; index >= 0; index--)); do
    local pid=${pids[index]} signal=TERM
    [[ ${names[$pid]} != one && ${names[$pid]} != two ]] || signal=INT
    kill -s "$signal" "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
  done
  rm -rf "$scratch"
}
trap end_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# start NAME COMMAND...: in the background; what it says goes into a file.
start() {
  local name=$1
  shift
  "$@" >"$scratch/$name.log" 2>&1 &
  pids+=($!)
  names[$!]=$name
}
declare -A names

# with_env FILE... -- COMMAND...: as env_file of compose.yaml. The files hold plain words: no quotes, no blanks.
with_env() {
  local words=()
  while [[ $1 != -- ]]; do
    mapfile -t -O "${#words[@]}" words < <(grep -v -e '^#' -e '^$' "$1")
    shift
  done
  shift
  exec env "${words[@]}" "$@"
}

# ready NAME URL
ready() {
  local until=$((SECONDS + ready_within_s))
  until curl --silent --fail --output /dev/null --max-time 2 "$2"; do
    for pid in "${pids[@]}"; do
      kill -0 "$pid" 2>/dev/null || fail "${names[$pid]} ended: $(tail -n 20 "$scratch/${names[$pid]}.log")"
    done
    ((SECONDS < until)) || fail "$1 is not ready after $ready_within_s s: $(tail -n 20 "$scratch/$1.log")"
    sleep 0.1
  done
}

mkdir "$scratch/redis" "$scratch/figures"
start redis redis-server "$root/deploy/redis/redis.conf" --dir "$scratch/redis"
start cometchat node emulator/main.ts
for instance in one two; do
  start "$instance" with_env .env.example deploy/compose/service.env "deploy/compose/$instance.env" -- bin/thread-reply-bff
done
BIND=127.0.0.1 start haproxy haproxy -f deploy/haproxy/haproxy.cfg
start prometheus prometheus --config.file=deploy/prometheus/prometheus.yml "--storage.tsdb.path=$scratch/figures" \
  --web.listen-address=127.0.0.1:9090

ready one http://127.0.0.1:3011/readyz
ready two http://127.0.0.1:3021/readyz
ready prometheus http://127.0.0.1:9090/-/ready
# Until its own checks have found an instance the balancer answers 503 itself.
until [[ $(curl --silent --output /dev/null --max-time 2 --write-out '%{http_code}' http://127.0.0.1:3000/me) == 401 ]]; do
  ((SECONDS < ready_within_s)) || fail "haproxy has found no instance after $ready_within_s s: $(tail -n 20 "$scratch/haproxy.log")"
  sleep 0.1
done
echo "Ready after $SECONDS s. The first reply:"
deploy/first-reply.sh

[[ ${1:-} != --once ]] || exit 0
echo
echo "Replies: http://127.0.0.1:3000 (deploy/first-reply.sh sends one), figures: http://127.0.0.1:9090, logs: $scratch. Ctrl-C ends it."
wait -n "${pids[@]}" || :
for pid in "${pids[@]}"; do
  kill -0 "$pid" 2>/dev/null || fail "${names[$pid]} ended: $(tail -n 20 "$scratch/${names[$pid]}.log")"
done
