"""The parts of a bundle: what their holder wants to become of them, and the exit checklist, step by step.

Two writers, each one transaction: ``choose`` and, for one step, ``tick`` with ``untick``. A choice ends nothing by
itself: the contract ends by its notice alone, and every step is done by a person. What staff hand over with a step is
a secret of the holder's: it stands in the row and on their page, and in no event, letter or log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from cancellation.actions import Actor
from cancellation.models import Cancellation, ChecklistItem, ComponentChoice, Event, State
from cancellation.parts_plan import THE_NOTICE, By, Choice, Key, Part, Plan, Step, hands_over, kind_of, offered, plan
from subscriptions import reading
from subscriptions.models import Component, Contract
from subscriptions.terms import TermsError, initial_last_day

PARTS_CHOSEN, STEP_DONE, STEP_REOPENED = "parts chosen", "step done", "step reopened"


class NotOffered(ValueError):
    """There is no such part in this contract, or no such choice for it."""

    def __init__(self, part: Part | None) -> None:
        super().__init__("This choice is not offered.")
        self.part = part


class Contradictory(Exception):
    """The choices contradict each other; ``bundle`` is what they would mean. Nothing was kept."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__("The choices contradict each other.")
        self.bundle = bundle


class Over(Exception):
    """The contract has ended: what was chosen stays as it is."""


class NoSuchStep(Exception):
    """The list has no such step, for the choices are other ones by now."""


class NotTheirs(Exception):
    """The step is somebody else's."""


class NotYet(Exception):
    """Another step comes first."""

    def __init__(self, first: Step) -> None:
        super().__init__(first.code)
        self.first = first


class TooEarly(Exception):
    """What the contract pays for works until its last day is over."""

    def __init__(self, last_day: date) -> None:
        super().__init__(f"not before {last_day} is over")
        self.last_day = last_day


class StillStands(Exception):
    """A later step was done on the ground of this one; it is taken back first."""

    def __init__(self, later: Step) -> None:
        super().__init__(later.code)
        self.later = later


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a contract is ending, by what, and whether its last day is over."""

    last_day: date | None
    by_itself: bool
    over: bool

    @property
    def ending(self) -> bool:
        """Tell whether the end is set."""
        return self.last_day is not None


@dataclass(frozen=True, slots=True)
class Bundle:
    """The parts of a contract, what was chosen for them, what that means, and what is done of it."""

    parts: tuple[Part, ...]
    choices: Mapping[int, Choice]
    standing: Standing
    plan: Plan
    items: Mapping[Key, ChecklistItem]

    @property
    def by_key(self) -> dict[int, Part]:
        """Return the parts by what names them."""
        return {part.key: part for part in self.parts}

    @property
    def names(self) -> dict[int, str]:
        """Return the names of the parts."""
        return {part.key: part.name for part in self.parts}

    @property
    def done(self) -> set[Key]:
        """Return the steps that are done; the notice is, once the end is set."""
        return {key for key, item in self.items.items() if item.done_at} | (
            {THE_NOTICE} if self.standing.ending else set()
        )

    def step(self, key: Key) -> Step | None:
        """Return a step: of the plan, or one that is done and by now part of no choice.

        Such as a domain that was unlocked and then stays.
        """
        item = self.items.get(key)
        if item is None or not item.done_at:
            return self.plan.step(key)
        by = By.STAFF if item.by_staff else By.CUSTOMER
        return self.plan.step(key) or Step(item.component_id, item.code, by)

    def first_before(self, step: Step) -> Step | None:
        """Return the step that comes first, None where this one may be done."""
        return self.plan.first_before(step.key, self.done)

    def check(self, step: Step) -> None:
        """Raise NotYet or TooEarly where a step cannot be done now."""
        if first := self.first_before(step):
            raise NotYet(first)
        if last_day := self.waits_until(step):
            raise TooEarly(last_day)

    def check_back(self, step: Step) -> None:
        """Raise StillStands where a step cannot be taken back now."""
        if later := self.plan.done_after(step.key, self.done):
            raise StillStands(later)

    def waits_until(self, step: Step) -> date | None:
        """Return the last day that must be over first, None where this step waits for none."""
        waits = step.ends and self.plan.ends and not self.standing.over
        return self.standing.last_day if waits else None


# ---------------------------------------------------------------- reading


def bundle_of(contract: Contract, at: datetime) -> Bundle:
    """Return the bundle of a contract that a query of the pages read; one statement for the steps."""
    rows: list[dict[str, Any]] = getattr(contract, "parts", None) or []
    parts = tuple(_part(row) for row in sorted(rows, key=lambda row: int(row["pk"])))
    choices = {int(row["pk"]): Choice(row["choice"]) for row in rows if row.get("choice")}
    live: date | None = contract.live_last_day  # type: ignore[attr-defined]
    return _bundle(parts, choices, standing_of(contract, live, at), contract.checklist.all() if parts else ())


def _part(row: Mapping[str, Any]) -> Part:
    return Part(int(row["pk"]), row["kind"], row["name"], row["depends_on"], bool(row["ends_contract"]))


def with_bundles(contracts: QuerySet[Contract]) -> QuerySet[Contract]:
    """Return contracts with what ``bundle_of_rows`` needs, in a few statements for all of them."""
    live = Cancellation.objects.exclude(state=State.REVOKED)
    return contracts.prefetch_related(
        Prefetch("components", Component.objects.select_related("choice").order_by("pk")),
        "checklist",
        Prefetch("cancellations", live, to_attr="live_ends"),
    )


def bundle_of_rows(contract: Contract, at: datetime) -> Bundle:
    """Return the bundle of a contract that ``with_bundles`` read."""
    components = list(contract.components.all())
    parts = tuple(Part(one.pk, one.kind, one.name, one.depends_on_id, one.ends_contract) for one in components)
    choices = {one.pk: Choice(one.choice.choice) for one in components if hasattr(one, "choice")}
    live = next((one.last_day for one in contract.live_ends), None)  # type: ignore[attr-defined]
    return _bundle(parts, choices, standing_of(contract, live, at), contract.checklist.all())


def _bundle(parts: tuple[Part, ...], choices: Mapping[int, Choice], standing: Standing, items: Any) -> Bundle:
    told = plan(parts, choices, ending=standing.ending, by_itself=standing.by_itself)
    return Bundle(parts, choices, standing, told, {(item.component_id, item.code): item for item in items})


def standing_of(contract: Contract, live_last_day: date | None, at: datetime) -> Standing:
    """Return whether a contract is ending. One whose terms cannot be read runs on until somebody says otherwise."""
    try:
        agreed = contract.agreed
        today = reading.local_day(at, agreed.timezone)
        expires_on = initial_last_day(agreed) if agreed.renewal == "none" else None
    except TermsError:
        return Standing(live_last_day, False, live_last_day is not None and live_last_day < at.date())
    last_day = live_last_day or expires_on
    return Standing(last_day, live_last_day is None and last_day is not None, last_day is not None and last_day < today)


# ---------------------------------------------------------------- writing


@transaction.atomic
def choose(*, contract: Contract, choices: Mapping[int, str], actor: Actor, at: datetime) -> Bundle:
    """Keep what a holder wants to become of parts, and bring the open steps into line; return what it means.

    Parts that are not named keep their choice. The same choices again change nothing, and a step that is done keeps
    its date. Raises Over, NotOffered, Contradictory; then nothing was kept.
    """
    before = _locked(contract, at)
    if before.standing.over:
        raise Over
    new = {key: _read(before, key, choice) for key, choice in choices.items()}
    standing, parts = before.standing, before.parts
    after = _bundle(parts, {**before.choices, **new}, standing, before.items.values())
    if after.plan.contradictions:
        raise Contradictory(after)
    changed = {key: choice for key, choice in new.items() if before.choices.get(key) != choice}
    for key, choice in changed.items():
        ComponentChoice.objects.update_or_create(
            component_id=key, defaults={"choice": choice, "chosen_at": at, "actor": actor.name}
        )
    _bring_into_line(contract, after)
    if changed:
        said = "; ".join(f"{kind_of(after.by_key[key].kind).code}: {choice}" for key, choice in changed.items())
        _record(contract, PARTS_CHOSEN, said, actor, at)
    return after


def _read(bundle: Bundle, key: int, choice: str) -> Choice:
    part = bundle.by_key.get(key)
    if part is None or choice not in offered(part, ending=bundle.standing.ending):
        raise NotOffered(part)
    return Choice(choice)


def follow(*, notice_id: int, at: datetime) -> None:
    """Let the kept steps follow the end that a notice set. Without choices there are none; twice does no harm."""
    chosen = Contract.objects.filter(notices=notice_id, components__choice__isnull=False)
    if contract := chosen.first():
        bring_into_line(contract=contract, at=at)


@transaction.atomic
def bring_into_line(*, contract: Contract, at: datetime) -> None:
    """Let the kept steps follow what has changed since the choices: a notice, an undo, an edit by staff."""
    bundle = _locked(contract, at)
    if bundle.choices:
        _bring_into_line(contract, bundle)


@transaction.atomic
def tick(
    *,
    contract: Contract,
    key: Key,
    by: By,
    actor: Actor,
    at: datetime,
    note: str = "",
    as_told: bool = False,
) -> bool:
    """Note that a step is done, by whom and when; False where it was done already, with its first date kept.

    ``as_told``: staff note what a customer told them about a step of theirs. ``note`` is what staff hand over.
    Raises NoSuchStep, NotTheirs, NotYet, TooEarly.
    """
    bundle, step = _step(contract, key, by, at, as_told=as_told)
    if step.key in bundle.done:
        return False
    bundle.check(step)
    _bring_into_line(contract, bundle)
    values: dict[str, Any] = {"done_at": at, "done_by": actor.name}
    if note and hands_over(step.code):
        values["note"] = note
    if not _row(contract, key).filter(done_at__isnull=True).update(**values):
        return False
    _record(contract, STEP_DONE, _named(bundle, step), actor, at)
    return True


@transaction.atomic
def untick(*, contract: Contract, key: Key, by: By, actor: Actor, at: datetime, as_told: bool = False) -> bool:
    """Note that a step is not done after all; False where it was open. Raises NoSuchStep, NotTheirs, StillStands.

    What was handed over with it stays written, and is not shown until the step is done again.
    """
    bundle, step = _step(contract, key, by, at, as_told=as_told)
    bundle.check_back(step)
    if not _row(contract, key).filter(done_at__isnull=False).update(done_at=None, done_by=""):
        return False
    _bring_into_line(contract, _locked(contract, at))
    _record(contract, STEP_REOPENED, _named(bundle, step), actor, at)
    return True


def _step(contract: Contract, key: Key, by: By, at: datetime, *, as_told: bool) -> tuple[Bundle, Step]:
    """Lock the contract and return the step, if it is there and is theirs."""
    bundle = _locked(contract, at)
    step = bundle.step(key)
    if step is None or step.part is None:
        raise NoSuchStep
    if step.by is not by and not (as_told and by is By.STAFF):
        raise NotTheirs
    return bundle, step


def _locked(contract: Contract, at: datetime) -> Bundle:
    """Lock a contract and read its bundle anew; whoever comes second sees what the first one did."""
    row = Contract.objects.select_for_update(of=("self",)).get(pk=contract.pk)
    return bundle_of_rows(with_bundles(Contract.objects.filter(pk=row.pk)).get(), at)


def _row(contract: Contract, key: Key) -> QuerySet[ChecklistItem]:
    return ChecklistItem.objects.filter(contract=contract, component=key[0], code=key[1])


def _bring_into_line(contract: Contract, bundle: Bundle) -> None:
    """Write the steps of the plan, in its order; drop open ones that it does not have. Done ones stay as they are."""
    # The notice is no row: whether it is given, the end of the contract says.
    wanted = {step.key: (place, step) for place, step in enumerate(bundle.plan.steps) if step.part is not None}
    stale = [item.pk for key, item in bundle.items.items() if key not in wanted and not item.done_at]
    if stale:
        ChecklistItem.objects.filter(pk__in=stale, done_at__isnull=True).delete()
    new: list[ChecklistItem] = []
    moved: list[ChecklistItem] = []
    for key, (place, step) in wanted.items():
        item = bundle.items.get(key) or ChecklistItem(contract=contract, component_id=key[0], code=key[1])
        values = (place, step.by is By.STAFF)
        if item.pk and (item.position, item.by_staff) == values:
            continue
        item.position, item.by_staff = values
        (moved if item.pk else new).append(item)
    ChecklistItem.objects.bulk_create(new)
    ChecklistItem.objects.bulk_update(moved, ["position", "by_staff"])


def _named(bundle: Bundle, step: Step) -> str:
    """Return a step as an event names it: by kind and code. Names of parts are personal, and notes are secrets."""
    part = bundle.by_key.get(step.part or 0)
    return f"{kind_of(part.kind).code if part else 'other'}: {step.code}"


def _record(contract: Contract, what: str, why: str, actor: Actor, at: datetime) -> None:
    Event.objects.create(contract=contract, at=at, actor=actor.name, what=what, why=why)
