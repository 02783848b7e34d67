"""Template filters that show the document of a receipt, in the language in which it was issued."""

from typing import Any

from django import template

from subscriptions import receipt_lines

register = template.Library()


@register.filter
def receipt_title(document: dict[str, Any]) -> str:
    """Return what a receipt is about."""
    return receipt_lines.title(document)


@register.filter
def receipt_sections(document: dict[str, Any]) -> list[receipt_lines.Section]:
    """Return what a receipt says, part by part."""
    return receipt_lines.sections(document)


@register.simple_tag
def receipt_has_pdf() -> bool:
    """Tell whether receipts can be had as PDF here."""
    return receipt_lines.can_print()
