#!/usr/bin/env bash
# Every test that this machine can run. SQLite always; PostgreSQL and Redis where they answer; Chromium where it is.
# What could not run is said at the end, loudly; with CI=true it is a failure instead.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
python=.venv/bin/python
export FAIRWELL_TESTING=1 FAIRWELL_VAR="${FAIRWELL_VAR:-$PWD/var/test}"
workers="${TEST_WORKERS:-2}"
missing=()
failed=0

part() { # part NAME COMMAND... : run one part, remember a failure, say how long it took
    local name="$1" start=$SECONDS; shift
    printf '\n== %s\n' "$name"
    "$@" || { failed=1; printf '!! %s failed\n' "$name"; }
    printf '   (%s s)\n' "$((SECONDS - start))"
}

database_url="${DATABASE_URL:-postgres://postgres@127.0.0.1:5432/fairwell}"
redis_url="${REDIS_URL:-redis://127.0.0.1:6379/9}"
postgres_answers() { case "$database_url" in postgres*) $python - "$database_url" <<'PY' 2>/dev/null
import sys, psycopg
from urllib.parse import urlsplit
url = urlsplit(sys.argv[1])
psycopg.connect(url._replace(path="/postgres", scheme="postgresql").geturl(), connect_timeout=3).close()
PY
;; *) return 1 ;; esac; }
redis_answers() { $python -c 'import redis, sys; redis.Redis.from_url(sys.argv[1], socket_timeout=3).ping()' "$redis_url" 2>/dev/null; }

# What needs one core or none for long runs beside the parts; what it says is shown when its turn comes.
checks="" next="" said="$(mktemp -d)"
trap 'rm -rf "$said"' EXIT
beside() { # beside NAME COMMAND... : start it now; ``await`` shows what it said and ends as it did
    local name="$1"; shift
    "$@" >"$said/$name" 2>&1 &
}
# shellcheck disable=SC2317 # ``part`` calls it
await() { local code=0; wait "$2" || code=$?; cat "$said/$1"; return "$code"; }
if [ "${CI:-}" = true ]; then beside next env -u DATABASE_URL -u REDIS_URL bash tests/next.sh --prepare; next=$!; fi

services="not services"
if postgres_answers && redis_answers; then services=""; else missing+=("PostgreSQL and Redis (on their default ports, or by DATABASE_URL and REDIS_URL)"); fi

part "SQLite: units, actions, pages" env -u DATABASE_URL -u REDIS_URL $python -m pytest -m "not browser and not services" -n "$workers" --dist loadfile

if command -v chromium chromium-browser google-chrome >/dev/null 2>&1; then
    part "SQLite: journeys in Chromium" env -u DATABASE_URL -u REDIS_URL $python -m pytest -m "browser and not services" \
        -n "$workers" --dist loadfile
else
    missing+=("Chromium: the journeys in tests/voices and every other page test in a real browser")
fi

if [ -z "$services" ]; then
    part "PostgreSQL and Redis: actions, pages" env DATABASE_URL="$database_url" REDIS_URL="$redis_url" \
        $python -m pytest -m "not browser and not services and not pure" -n "$workers" --dist loadfile
    if [ "${CI:-}" = true ]; then beside checks env -u DATABASE_URL -u REDIS_URL bash tests/check.sh; checks=$!; fi
    part "PostgreSQL, Redis and SMTP: real workers" env DATABASE_URL="$database_url" REDIS_URL="$redis_url" \
        $python -m pytest -m "services"
fi

if [ "${CI:-}" = true ]; then
    if [ -z "$checks" ]; then beside checks env -u DATABASE_URL -u REDIS_URL bash tests/check.sh; checks=$!; fi
    part "Checks" await checks "$checks"
    part "The next Django: its environment" await next "$next"
    part "The next Django" env -u DATABASE_URL -u REDIS_URL bash tests/next.sh
fi

for what in "${missing[@]:-}"; do
    [ -n "$what" ] || continue
    printf '\n*** NOT RUN: %s is not on this machine.\n' "$what"
    [ "${CI:-}" = true ] && failed=1
done
[ "$failed" = 0 ] && printf '\nAll that could run has passed.\n'
exit "$failed"
