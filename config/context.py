"""What every page knows: the operator, and whether this is the demo."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def operator(request: HttpRequest) -> dict[str, Any]:
    """Return the operator's name and addresses for templates."""
    return {"operator": settings.OPERATOR, "demo": settings.DEMO}
