#!/usr/bin/env bash
# The suite once more on the next Django with a newer Python, where such a Python is found. Not part of the lock.
# With --prepare its environment is made and nothing else, so that something may run beside it.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
python=""
for candidate in python3.14 python3.13 "$HOME"/.pyenv/versions/3.1[34]*/bin/python; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null; then python="$candidate"; break; fi
done
[ -n "$python" ] || { echo "No Python 3.13 or newer here: the next Django was not tried."; exit 0; }
uv="$(command -v uv || echo "$PWD/.venv/bin/uv")"
place="${TMPDIR:-/tmp}/fairwell-next-$(id -u)"
prepare() {
    "$uv" venv -q --clear --python "$python" "$place" || return
    "$uv" export -q --frozen --no-hashes --group test --extra pdf --no-emit-project | grep -vi '^django==' > "$place/requirements.txt"
    # Compiled here once, and not by each worker while it is waited for.
    VIRTUAL_ENV="$place" "$uv" pip install -q --compile-bytecode -r "$place/requirements.txt" "django>=6.1,<6.2" || return
    touch "$place/prepared"
}
if [ "${1:-}" = --prepare ]; then prepare; exit; fi
[ -e "$place/prepared" ] || prepare || exit 1
rm "$place/prepared"
"$place/bin/python" -c 'import django, sys; print("Django", django.__version__, "on Python", sys.version.split()[0])'
FAIRWELL_TESTING=1 FAIRWELL_VAR="$PWD/var/next" "$place/bin/python" -m pytest -m "not browser and not services" -n "${TEST_WORKERS:-2}" --dist loadfile \
    -W ignore
