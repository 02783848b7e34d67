"""What every page knows: the operator, whether this is the demo, and where one may leave."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from config.entries import entries_anyhow


def operator(request: HttpRequest) -> dict[str, Any]:
    """Return the operator's name and addresses for templates, and the entries that every public page shows."""
    return {"operator": settings.OPERATOR, "demo": settings.DEMO, "entries": entries_anyhow()}
