"""What is said in the moment of leaving is kept once, and nothing in it can go wrong."""

from datetime import UTC, datetime

import pytest

from feedback.actions import keep_answer
from feedback.handlers import said as handle_said
from feedback.models import Answer, Reason, Root
from outbox.registry import topic_for

AT = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)


def keep(contract, cancellation_id=7, **said):
    return keep_answer(contract_id=contract.pk, cancellation_id=cancellation_id, said=said, said_at=AT)


def told(answer):
    return {
        "root": answer.root,
        "primary": answer.primary.code if answer.primary else None,
        "reasons": sorted(answer.reasons.values_list("code", flat=True)),
        "went_elsewhere": answer.went_elsewhere,
        "words": answer.words,
        "went_well": answer.went_well,
    }


def test_the_outbox_knows_who_keeps_answers():
    assert topic_for("said").handler is handle_said


def test_the_handler_keeps_the_whole_answer(contract):
    payload = {
        "contract_id": contract.pk,
        "cancellation_id": 7,
        "said": {
            "reasons": ["cost-too-high", "relationship-manner"],
            "primary": "relationship-manner",
            "elsewhere": "yes",
            "words": "=SUM(A1) żółć",
            "went_well": "The people",
        },
        "said_at": AT.isoformat(),
    }

    handle_said(1, payload)
    handle_said(1, payload)

    answer = Answer.objects.get()
    assert (answer.contract, answer.cancellation_id, answer.said_at) == (contract, 7, AT)
    assert told(answer) == {
        "root": "relationship",
        "primary": "relationship-manner",
        "reasons": ["cost-too-high", "relationship-manner"],
        "went_elsewhere": True,
        "words": "=SUM(A1) żółć",
        "went_well": "The people",
    }


def test_a_second_answer_about_one_cancellation_changes_nothing(contract):
    first = keep(contract, reasons=["cost-too-high"], words="First")

    second = keep(contract, reasons=["outcome-results"], words="Second")

    assert second.pk == first.pk
    assert told(Answer.objects.get()) == told(first)
    assert told(first)["reasons"] == ["cost-too-high"]


@pytest.mark.parametrize(
    ("said", "primary", "reasons", "root"),
    [
        pytest.param({}, None, [], "unstated", id="nothing-said"),
        pytest.param({"words": "Bye"}, None, [], "unstated", id="words-alone"),
        pytest.param({"reasons": ["nonsense"]}, None, [], "unstated", id="unknown-alone"),
        pytest.param(
            {"reasons": ["nonsense", "outlook-skill", "cost-extras"]},
            "outlook-skill",
            ["cost-extras", "outlook-skill"],
            "outlook",
            id="the-first-known-ticked-counts",
        ),
        pytest.param(
            {"reasons": ["outlook-skill", "cost-extras"], "primary": "cost-extras"},
            "cost-extras",
            ["cost-extras", "outlook-skill"],
            "cost",
            id="the-main-reason-counts",
        ),
        pytest.param(
            {"reasons": ["outlook-skill"], "primary": "nonsense"},
            "outlook-skill",
            ["outlook-skill"],
            "outlook",
            id="an-unknown-main-reason-gives-way",
        ),
        pytest.param(
            {"reasons": [], "primary": "cost-extras"},
            "cost-extras",
            ["cost-extras"],
            "cost",
            id="a-main-reason-is-a-reason",
        ),
        pytest.param(
            {"reasons": ["cost-extras", "cost-extras"]},
            "cost-extras",
            ["cost-extras"],
            "cost",
            id="ticked-twice-is-once",
        ),
        pytest.param({"reasons": "cost-extras"}, "cost-extras", ["cost-extras"], "cost", id="one-without-a-list"),
    ],
)
def test_the_root_follows_from_the_reason_that_counted_most(contract, said, primary, reasons, root):
    answer = keep(contract, **said)

    assert told(answer) == {
        "root": root,
        "primary": primary,
        "reasons": reasons,
        "went_elsewhere": None,
        "words": said.get("words", ""),
        "went_well": "",
    }


def test_a_reason_that_is_no_longer_offered_still_counts_for_who_ticked_it(contract):
    Reason.objects.filter(code="cost-extras").update(active=False)

    answer = keep(contract, reasons=["cost-extras"])

    assert (answer.root, answer.primary.code) == (Root.COST, "cost-extras")


def test_two_cancellations_have_two_answers(contract):
    keep(contract, 7, reasons=["cost-extras"])
    keep(contract, 8, reasons=["outcome-results"])

    assert dict(Answer.objects.values_list("cancellation_id", "root")) == {7: "cost", 8: "outcome"}
