"""Log lines: JSON in production, readable elsewhere, never a link that lets somebody in.

A sign-in link and a receipt carry their secret in the path, an entry link in the query string, which stays out of
every line.
"""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware as StructlogMiddleware

SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


# The part of an address that lets somebody in or answers for them: the path of a sign-in link, a receipt, an
# announcement or a "that was not me", the token of an entry link.
SECRET = re.compile(
    r"(/sign-in/|/receipts/|/announce/|/cancel/done/|/withdraw/done/|/not-me/|/enter/?\?(?:[^\s\"']*&)?t=)"
    r"[^/\s?&\"']{16,}"
)
MARKS = ("/sign-in/", "/receipts/", "/announce/", "/cancel/done/", "/withdraw/done/", "/not-me/", "/enter")


def blot_out_links(logger: Any, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Blot the secrets of links out of every value of a log line, whoever wrote it."""
    for key, value in event.items():
        if isinstance(value, str) and any(mark in value for mark in MARKS):
            event[key] = SECRET.sub(r"\1…", value)
    return event


def formatter() -> logging.Formatter:
    """Return the formatter of the console handler; third-party lines pass through it, too."""
    renderer: Any = (
        structlog.processors.JSONRenderer() if settings.PRODUCTION else structlog.dev.ConsoleRenderer(colors=False)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            # With the traceback as text first, for it may quote an address, too.
            structlog.processors.format_exc_info,
            blot_out_links,
            renderer,
        ],
    )


structlog.configure(
    processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


class RequestMiddleware(StructlogMiddleware):
    """Log each request by method and path alone."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return the request without its query string, for tokens travel there."""
        return f"{request.method} {request.path}"
