"""What choices for the parts of a bundle mean, and in which order the steps come."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cancellation.parts_plan import (
    KINDS,
    OTHER,
    THE_NOTICE,
    By,
    Choice,
    Contradiction,
    Fall,
    Part,
    Plan,
    kind_of,
    offered,
    plan,
)

TAKE, KEEP, LET_GO = Choice
DOMAIN, SERVER, MAILBOX = 1, 2, 3
BUNDLE = (
    Part(DOMAIN, "domain", "aoki-haruka.example", ends_contract=True),
    Part(SERVER, "server", "web-4127"),
    Part(MAILBOX, "mailbox", "haruka@aoki-haruka.example", depends_on=DOMAIN),
)
LOOSE = tuple(Part(part.key, part.kind, part.name, part.depends_on) for part in BUNDLE)


def codes(told: Plan) -> list[tuple[int | None, str]]:
    return [step.key for step in told.steps]


# ---------------------------------------------------------------- the story of the hosting provider


def test_a_domain_taken_along_is_unlocked_first_and_the_hosting_ends_last() -> None:
    told = plan(BUNDLE[:2], {DOMAIN: TAKE, SERVER: LET_GO})

    assert told.must_end
    assert told.enders == (DOMAIN,)
    assert codes(told) == [
        THE_NOTICE,
        (DOMAIN, "unlock"),
        (DOMAIN, "auth_code"),
        (DOMAIN, "start_transfer"),
        (DOMAIN, "confirm_transfer"),
        (SERVER, "save_data"),
        (SERVER, "end_hosting"),
    ]
    assert [step.by for step in told.steps[1:]] == [
        By.STAFF, By.STAFF, By.CUSTOMER, By.CUSTOMER, By.CUSTOMER, By.STAFF,
    ]  # fmt: skip
    end = told.steps[-1]
    assert set(end.after) == {THE_NOTICE, (DOMAIN, "confirm_transfer"), (SERVER, "save_data")}
    assert told.first_before(end.key, [THE_NOTICE, (DOMAIN, "unlock")]) == told.step((DOMAIN, "auth_code"))


def test_ending_the_server_does_not_end_the_contract() -> None:
    told = plan(BUNDLE, {SERVER: LET_GO})

    assert not told.must_end
    assert not told.ends
    assert codes(told) == [(SERVER, "save_data"), (SERVER, "end_hosting")]
    assert told.falls == told.contradictions == ()


def test_what_is_kept_falls_with_a_contract_that_has_to_end() -> None:
    told = plan(BUNDLE, {DOMAIN: TAKE, SERVER: KEEP})

    assert told.falls == (Fall(SERVER, None), Fall(MAILBOX, None))
    assert told.outcome == {DOMAIN: TAKE, SERVER: LET_GO, MAILBOX: LET_GO}


def test_no_part_that_stays_ends_the_contract() -> None:
    told = plan(LOOSE, {DOMAIN: TAKE, SERVER: LET_GO, MAILBOX: LET_GO})

    assert told.must_end
    assert told.enders == ()


def test_a_mailbox_cannot_be_kept_without_its_domain() -> None:
    told = plan(LOOSE, {DOMAIN: LET_GO, MAILBOX: KEEP})

    assert told.contradictions == (Contradiction(MAILBOX, DOMAIN),)
    assert MAILBOX not in {part for part, _code in codes(told)}


def test_a_mailbox_of_which_nothing_was_said_falls_with_its_domain() -> None:
    told = plan(LOOSE, {DOMAIN: LET_GO})

    assert told.contradictions == ()
    assert told.falls == (Fall(MAILBOX, DOMAIN),)
    assert not told.must_end
    # The mailbox ends before the ground it stands on.
    assert codes(told)[-2:] == [(MAILBOX, "end_mailbox"), (DOMAIN, "release_domain")]


def test_a_domain_that_moves_points_back_to_the_mailbox_that_stays() -> None:
    told = plan(LOOSE, {DOMAIN: TAKE, MAILBOX: KEEP})

    assert told.contradictions == ()
    assert not told.must_end
    back = told.steps[-1]
    assert (back.key, back.by, back.after, back.other) == (
        (MAILBOX, "point_back"), By.CUSTOMER, ((DOMAIN, "confirm_transfer"),), DOMAIN,
    )  # fmt: skip


def test_what_needs_a_server_cannot_stay_when_the_number_it_rings_on_moves() -> None:
    parts = (Part(1, "number", "+48 12 345"), Part(2, "fax", "box", depends_on=1), Part(3, "server", "s"))

    assert plan(parts, {1: TAKE, 2: KEEP}).contradictions == (Contradiction(2, 1),)
    assert plan(parts, {1: TAKE, 2: TAKE}).contradictions == ()


def test_a_mailbox_taken_along_needs_its_domain_elsewhere_too() -> None:
    assert plan(BUNDLE, {MAILBOX: TAKE}, ending=True).contradictions == (Contradiction(MAILBOX, DOMAIN),)
    assert plan(BUNDLE, {MAILBOX: TAKE, DOMAIN: TAKE}, ending=True).contradictions == ()


def test_a_number_is_released_before_it_is_ported() -> None:
    told = plan([Part(1, "Telefonnummer", "030 123"), Part(2, "server", "s")], {1: TAKE})

    assert codes(told) == [(1, "release_number"), (1, "start_porting"), (1, "confirm_porting")]


# ---------------------------------------------------------------- a contract that is ending


def test_nothing_can_be_kept_in_a_contract_that_is_ending() -> None:
    assert offered(BUNDLE[0], ending=True) == (TAKE, LET_GO)
    told = plan(BUNDLE, {DOMAIN: KEEP}, ending=True)

    assert set(told.outcome.values()) == {LET_GO}
    assert told.contradictions == ()
    assert not told.must_end
    assert told.ends


def test_a_contract_that_ends_by_itself_needs_no_notice() -> None:
    assert THE_NOTICE not in codes(plan(BUNDLE, {DOMAIN: TAKE}, by_itself=True))


def test_a_bundle_of_nothing_asks_nothing() -> None:
    told = plan((), {})

    assert (told.must_end, told.steps, told.falls) == (False, (), ())


def test_what_was_done_later_is_named_before_something_is_taken_back() -> None:
    told = plan(BUNDLE, {DOMAIN: TAKE})
    done = [(DOMAIN, "unlock"), (DOMAIN, "auth_code")]

    assert told.done_after((DOMAIN, "unlock"), done) == told.step((DOMAIN, "auth_code"))
    assert told.done_after((DOMAIN, "auth_code"), done) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [("Domain", "domain"), (" ドメイン ", "domain"), ("HOSTING", "server"), ("E-Mail", "mailbox"), ("fax", "other")],
)
def test_a_kind_is_known_by_its_names(name: str, code: str) -> None:
    assert kind_of(name).code == code


# ---------------------------------------------------------------- any bundle, any choices


@st.composite
def bundles(draw: st.DrawFn) -> tuple[Part, ...]:
    """Draw up to five parts; they may depend on each other in a circle, on themselves, or on what is not there."""
    count = draw(st.integers(0, 5))
    return tuple(
        Part(
            key,
            draw(st.sampled_from([kind.code for kind in KINDS])),
            f"part {key}",
            draw(st.none() | st.integers(1, 6)),
            draw(st.booleans()),
        )
        for key in range(1, count + 1)
    )


choices = st.dictionaries(st.integers(1, 6), st.sampled_from(Choice))


@given(bundles(), choices, st.booleans(), st.booleans())
def test_every_step_comes_after_all_that_it_waits_for(
    parts: tuple[Part, ...], chosen: dict[int, Choice], ending: bool, by_itself: bool
) -> None:
    told = plan(parts, chosen, ending=ending, by_itself=by_itself)

    names = codes(told)
    assert len(names) == len(set(names))
    for place, step in enumerate(told.steps):
        assert set(step.after) <= set(names[:place]), step
    # Done from top to bottom, nothing is ever in the way.
    for place, step in enumerate(told.steps):
        assert told.first_before(step.key, names[:place]) is None


@given(bundles(), choices, st.booleans())
def test_nothing_ends_before_what_moves_is_safe(
    parts: tuple[Part, ...], chosen: dict[int, Choice], ending: bool
) -> None:
    told = plan(parts, chosen, ending=ending)

    moving = {step.key for step in told.steps if not step.ends and told.outcome.get(step.part or 0) is TAKE}
    for step in told.steps:
        if step.ends:
            assert moving <= told._before(step.key)
            assert not told.ends or THE_NOTICE in told._before(step.key)


@given(bundles(), choices, st.booleans())
def test_every_part_has_an_answer(parts: tuple[Part, ...], chosen: dict[int, Choice], ending: bool) -> None:
    told = plan(parts, chosen, ending=ending)

    assert set(told.outcome) == {part.key for part in parts}
    named = {one.part for one in told.contradictions}
    fallen = {fall.part for fall in told.falls}
    with_steps = {step.part for step in told.steps}
    for part in parts:
        kept = told.outcome[part.key] is KEEP
        # It stays; or there are steps for it; or it is said what is wrong.
        assert kept or part.key in named or part.key in with_steps
        if part.key in fallen:
            assert told.outcome[part.key] is LET_GO
            assert chosen.get(part.key) is not TAKE or TAKE not in offered(part, ending=ending)
        assert not (told.ends and kept and part.key not in named)
    if told.must_end:
        assert told.enders or all(choice is not KEEP for choice in told.outcome.values())


@given(bundles(), choices)
def test_a_contract_ends_only_where_it_must(parts: tuple[Part, ...], chosen: dict[int, Choice]) -> None:
    told = plan(parts, chosen)

    said = {part.key: chosen.get(part.key) for part in parts if chosen.get(part.key) in offered(part, ending=False)}
    if all(said.get(part.key) in (None, KEEP) for part in parts):
        assert not told.ends
        assert told.steps == ()


def test_every_combination_for_the_bundle_gives_an_answer() -> None:
    for chosen in itertools.product([None, *Choice], repeat=3):
        said = {key: choice for key, choice in zip((1, 2, 3), chosen, strict=True) if choice}
        for parts, ending in itertools.product((BUNDLE, LOOSE), (False, True)):
            assert plan(parts, said, ending=ending).outcome.keys() == {1, 2, 3}


def test_an_unknown_kind_has_all_three_choices() -> None:
    assert OTHER.choices == (TAKE, KEEP, LET_GO)
