"""Events are kept in one language and read in another."""

import pytest
from django.utils import translation

from cancellation.event_words import state_in_words, why_in_words

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("why", "english", "german"),
    [
        ("last day 2027-03-31", "last day 31 March 2027", "letzter Tag 31. März 2027"),
        ("the holder took it back", "the holder took it back", "vom Kunden zurückgezogen"),
        ("refund 2027-03-31", "pay a refund, 31 March 2027", "Erstattung auszahlen, 31. März 2027"),
        ("she called and asked", "she called and asked", "she called and asked"),
        ("", "", ""),
    ],
)
def test_a_reason_is_read_in_the_language_of_the_desk(why: str, english: str, german: str) -> None:
    told = {}
    for language in ("en", "de"):
        with translation.override(language):
            told[language] = why_in_words(why)
    assert told == {"en": english, "de": german}


def test_a_state_is_read_in_words_and_an_unknown_one_as_it_stands() -> None:
    with translation.override("de"):
        assert [state_in_words(code) for code in ("revoked", "matched", "", "frozen")] == [
            "zurückgenommen", "zugeordnet", "", "frozen",
        ]  # fmt: skip
