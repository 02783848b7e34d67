# Fairwell for production: one image, run as web, worker or beat.
FROM python:3.12-slim-bookworm AS build
ENV UV_PYTHON_DOWNLOADS=never UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN pip install --no-cache-dir uv
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-cache --extra pdf
COPY . .
RUN .venv/bin/python -m config.catalogues \
 && STATIC_ROOT=/app/assets .venv/bin/python manage.py collectstatic --noinput -v 0 \
 && rm -rf var

FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 fairwell && mkdir -p /var/lib/fairwell && chown fairwell /var/lib/fairwell
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 \
    FAIRWELL_ENV=production FAIRWELL_VAR=/var/lib/fairwell STATIC_ROOT=/app/assets
USER fairwell
EXPOSE 8000
# No access log: addresses hold links that let people in. Fairwell writes a line for each request without them.
CMD ["gunicorn", "config.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
