"""Template filters for days, instants and money, in the page's language."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django import template

from config import formats
from subscriptions.amounts import Money
from subscriptions.formats import format_money

register = template.Library()


@register.filter
def money(value: Money | None) -> str:
    """Show money with its symbol; nothing for None."""
    return format_money(value) if value is not None else ""


@register.filter
def day(value: date | None) -> str:
    """Show a day, such as 30 June 2027."""
    return formats.format_day(value) if value else ""


@register.filter
def weekday(value: date | None) -> str:
    """Show a day with its day of the week."""
    return formats.format_day(value, width="full") if value else ""


@register.filter
def instant(value: datetime | None) -> str:
    """Show an aware instant with its offset."""
    return formats.format_instant(value) if value else ""


@register.filter
def moment(value: datetime | None, timezone: str) -> str:
    """Show an instant with its offset in a named time zone."""
    return formats.format_instant(value.astimezone(ZoneInfo(timezone))) if value else ""
