#!/usr/bin/env bash
# `make check`: style, types, layers, templates, migrations, and the settings that production would run with.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
bin=.venv/bin
failed=0
step() { local name="$1"; shift; printf -- '-- %s\n' "$name"; "$@" || failed=1; }

export FAIRWELL_VAR="${FAIRWELL_VAR:-$PWD/var/test}"
step "ruff" $bin/ruff check -q .
step "format" $bin/ruff format -q --check .
step "types" $bin/mypy
step "layers" $bin/lint-imports --no-logo
step "templates" $bin/djlint --quiet --lint templates
if command -v shellcheck >/dev/null; then step "shell" shellcheck .ci/run tests/*.sh; fi
step "migrations" $bin/python manage.py makemigrations --check --dry-run --verbosity 0
step "deployment" env FAIRWELL_ENV=production SECRET_KEY="$($bin/python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    FAIRWELL_BASE_URL=https://desk.example ALLOWED_HOSTS=desk.example \
    FAIRWELL_OPERATOR_NAME="Müller, Söhne" FAIRWELL_SUPPORT_EMAIL=support@desk.example EMAIL_URL=smtp+tls://a:b@mail.desk.example:587 \
    DATABASE_URL=postgres://a:b@db.desk.example/fairwell REDIS_URL=redis://redis.desk.example:6379/0 \
    SECURE_HSTS_INCLUDE_SUBDOMAINS=1 SECURE_HSTS_PRELOAD=1 \
    $bin/python manage.py check --deploy --fail-level WARNING
exit "$failed"
