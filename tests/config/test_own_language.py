"""A test never inherits the language that another one's request left behind."""

from django.utils import translation


def test_a_language_is_left_active_behind() -> None:
    translation.activate("ja")


def test_the_next_test_begins_in_the_configured_language() -> None:
    assert translation.get_language() == "en"
