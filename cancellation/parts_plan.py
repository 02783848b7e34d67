"""What becomes of the parts of a bundle: which choices there are, what they mean, and the steps in their order.

A part is a domain, a server, a mailbox, a telephone number or something else; another kind joins by a row of ``KINDS``
and its words in ``parts_words``. A choice that is missing leaves the part as it is. Every set of choices has an answer:
one that contradicts itself is answered with what contradicts what. Nothing here knows of Django, the clock or a table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Choice(StrEnum):
    """What is to become of a part."""

    TAKE = "take"
    KEEP = "keep"
    LET_GO = "let_go"


class By(StrEnum):
    """Who does a step."""

    CUSTOMER = "customer"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class Doing:
    """One thing to do for a part of a kind. ``ends`` cannot be undone, so it waits until all else is safe.

    ``hands_over`` comes with something that only the holder may see, such as an auth code.
    """

    code: str
    by: By
    ends: bool = False
    hands_over: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of part: the names it is entered by, and what each choice that makes sense for it asks to be done.

    ``points_back`` says that it can serve from elsewhere what stays here, as a domain does.
    """

    code: str
    names: frozenset[str]
    doings: Mapping[Choice, tuple[Doing, ...]]
    points_back: bool = False

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Return the choices that make sense, in their order."""
        return tuple(self.doings)


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().casefold() for name in text.split(","))


_CUSTOMER, _STAFF = By.CUSTOMER, By.STAFF
DOMAIN = Kind(
    "domain",
    _names("domain, domain name, domäne, domaine, nom de domaine, domena, ドメイン"),
    {
        Choice.TAKE: (
            Doing("unlock", _STAFF),
            Doing("auth_code", _STAFF, hands_over=True),
            Doing("start_transfer", _CUSTOMER),
            Doing("confirm_transfer", _CUSTOMER),
        ),
        Choice.KEEP: (),
        Choice.LET_GO: (Doing("replace_domain", _CUSTOMER), Doing("release_domain", _STAFF, ends=True)),
    },
    points_back=True,
)
# A server stays where it is: what is taken along is what lies on it.
SERVER = Kind(
    "server",
    _names("server, hosting, web hosting, webhosting, webspace, serveur, hébergement, serwer, サーバー, ホスティング"),
    {
        Choice.KEEP: (),
        Choice.LET_GO: (Doing("save_data", _CUSTOMER), Doing("end_hosting", _STAFF, ends=True)),
    },
)
MAILBOX = Kind(
    "mailbox",
    _names("mailbox, mail, e-mail, email, postfach, boîte mail, messagerie, skrzynka, poczta, メール, メールボックス"),
    {
        Choice.TAKE: (Doing("copy_mail", _CUSTOMER), Doing("end_mailbox", _STAFF, ends=True)),
        Choice.KEEP: (),
        Choice.LET_GO: (Doing("save_data", _CUSTOMER), Doing("end_mailbox", _STAFF, ends=True)),
    },
)
NUMBER = Kind(
    "number",
    _names(
        "number, phone, phone number, telephone number, rufnummer, telefonnummer, numéro, numéro de téléphone, "
        "numer, numer telefonu, 電話番号"
    ),
    {
        Choice.TAKE: (
            Doing("release_number", _STAFF, hands_over=True),
            Doing("start_porting", _CUSTOMER),
            Doing("confirm_porting", _CUSTOMER),
        ),
        Choice.KEEP: (),
        Choice.LET_GO: (Doing("replace_number", _CUSTOMER), Doing("give_up_number", _STAFF, ends=True)),
    },
)
OTHER = Kind(
    "other",
    frozenset(),
    {
        Choice.TAKE: (Doing("move_out", _CUSTOMER), Doing("end_part", _STAFF, ends=True)),
        Choice.KEEP: (),
        Choice.LET_GO: (Doing("save_data", _CUSTOMER), Doing("end_part", _STAFF, ends=True)),
    },
)
KINDS = (DOMAIN, SERVER, MAILBOX, NUMBER, OTHER)
# Two steps that belong to no kind: the notice itself, and what keeps a part here at work when its domain moves.
NOTICE, POINT_BACK = "notice", "point_back"

# A step is named by its part and its code; the notice belongs to the contract.
Key = tuple[int | None, str]
THE_NOTICE: Key = (None, NOTICE)


def kind_of(name: str) -> Kind:
    """Return the kind that a name stands for, whatever its case; OTHER for one that nobody knows."""
    known = name.strip().casefold()
    return next((kind for kind in KINDS if known in kind.names), OTHER)


def hands_over(code: str) -> bool:
    """Tell whether something that only the holder may see comes with a step."""
    return any(
        doing.code == code and doing.hands_over for kind in KINDS for row in kind.doings.values() for doing in row
    )


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a bundle, as agreed."""

    key: int
    kind: str
    name: str
    depends_on: int | None = None
    ends_contract: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do, by whom, and after which others. ``other`` is a second part that it is about."""

    part: int | None
    code: str
    by: By
    after: tuple[Key, ...] = ()
    ends: bool = False
    other: int | None = None

    @property
    def key(self) -> Key:
        """Return what names the step within a contract."""
        return (self.part, self.code)


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A part is to go on without one that it needs. The way out: keep ``without``, or let ``part`` go, too."""

    part: int
    without: int


@dataclass(frozen=True, slots=True)
class Fall:
    """A part that ends although nobody chose so: with the contract (None), or with a part that it needs."""

    part: int
    because_of: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a set of choices means.

    ``must_end`` says that the contract cannot go on, ``enders`` names the parts it cannot do without; without any,
    no part stays. ``ends`` is true, too, where the contract is ending anyway.
    """

    must_end: bool
    ends: bool
    enders: tuple[int, ...]
    outcome: Mapping[int, Choice]
    falls: tuple[Fall, ...]
    contradictions: tuple[Contradiction, ...]
    steps: tuple[Step, ...]

    def step(self, key: Key) -> Step | None:
        """Return a step by its name."""
        return next((step for step in self.steps if step.key == key), None)

    def first_before(self, key: Key, done: Collection[Key]) -> Step | None:
        """Return the open step that comes first before another can be done; None where nothing is in its way."""
        before = self._before(key)
        return next((step for step in self.steps if step.key in before and step.key not in done), None)

    def done_after(self, key: Key, done: Collection[Key]) -> Step | None:
        """Return the last step that was done on the ground of another; None where there is none."""
        return next((step for step in reversed(self.steps) if step.key in done and key in self._before(step.key)), None)

    def _before(self, key: Key) -> set[Key]:
        found: set[Key] = set()
        waiting = [key]
        while waiting:
            step = self.step(waiting.pop())
            new = [before for before in (step.after if step else ()) if before not in found]
            found.update(new)
            waiting.extend(new)
        return found


def offered(part: Part, *, ending: bool) -> tuple[Choice, ...]:
    """Return the choices for a part. A contract that is ending leaves nothing to keep here."""
    return tuple(choice for choice in kind_of(part.kind).choices if not (ending and choice is Choice.KEEP))


def plan(
    parts: Sequence[Part], choices: Mapping[int, Choice], *, ending: bool = False, by_itself: bool = False
) -> Plan:
    """Return what choices mean for the parts of one contract, and the steps in an order that can be followed.

    ``ending``: its end is set already; ``by_itself``: it ends without a notice. A choice that its kind does not have,
    or "keep" in a contract that is ending, counts as none.
    """
    ending = ending or by_itself
    by_key = {part.key: part for part in parts}
    said = {
        part.key: choice
        for part in parts
        if (choice := choices.get(part.key)) is not None and choice in offered(part, ending=ending)
    }
    falls = [
        Fall(part.key, gone)
        for part in parts
        if part.key not in said and (gone := _gone_from_under(part, None, said, by_key)) is not None
    ]
    fallen = {fall.part for fall in falls}
    leaving = [part for part in parts if part.key in fallen or said.get(part.key, Choice.KEEP) is not Choice.KEEP]
    enders = tuple(part.key for part in leaving if part.ends_contract)
    must_end = bool(enders) or bool(parts and len(leaving) == len(parts))
    ends = must_end or ending
    if ends:
        falls += [Fall(part.key, None) for part in parts if part not in leaving]
        fallen = {fall.part for fall in falls}
    outcome = {part.key: Choice.LET_GO if part.key in fallen else said.get(part.key, Choice.KEEP) for part in parts}
    contradictions = tuple(_contradictions(parts, said, outcome, by_key))
    undecided = {one.part for one in contradictions}
    return Plan(
        must_end=must_end,
        ends=ends,
        enders=enders,
        outcome=outcome,
        falls=tuple(fall for fall in falls if fall.part not in undecided),
        contradictions=contradictions,
        steps=tuple(_steps(parts, outcome, by_key, undecided, ends and not by_itself)),
    )


def _contradictions(
    parts: Sequence[Part], said: Mapping[int, Choice], outcome: Mapping[int, Choice], by_key: Mapping[int, Part]
) -> Iterator[Contradiction]:
    """Yield each part that is to go on, here or elsewhere, without one that it needs."""
    for part in parts:
        own = said.get(part.key)
        # What is kept here ends with the contract, quietly; what is to go on elsewhere needs its ground there.
        fates = outcome if own is Choice.TAKE else said
        if own in (Choice.TAKE, Choice.KEEP):
            gone = _gone_from_under(part, own, fates, by_key)
            if gone is not None:
                yield Contradiction(part.key, gone)


def _above(part: Part, by_key: Mapping[int, Part]) -> list[Part]:
    """Return what a part depends on, nearest first; a circle is walked once."""
    found: list[Part] = []
    over = by_key.get(part.depends_on) if part.depends_on is not None else None
    while over is not None and over.key != part.key and over not in found:
        found.append(over)
        over = by_key.get(over.depends_on) if over.depends_on is not None else None
    return found


def _gone_from_under(
    part: Part, own: Choice | None, fates: Mapping[int, Choice], by_key: Mapping[int, Part]
) -> int | None:
    """Return the nearest part that this one needs and that will not be there for it."""
    for over in _above(part, by_key):
        fate = fates.get(over.key)
        # What moves away serves a part that moves, too; and a domain can point back to what stays.
        moves_off = fate is Choice.TAKE and own is not Choice.TAKE and not kind_of(over.kind).points_back
        if fate is Choice.LET_GO or moves_off:
            return over.key
    return None


def _steps(
    parts: Sequence[Part],
    outcome: Mapping[int, Choice],
    by_key: Mapping[int, Part],
    undecided: Collection[int],
    needs_notice: bool,
) -> Iterator[Step]:
    """Yield the steps in order: the notice, what moves, what is saved, and at last what cannot be undone."""
    going = [part for part in parts if outcome[part.key] is not Choice.KEEP and part.key not in undecided]
    # The notice comes first, for its day counts; nothing but an end waits for it.
    if needs_notice:
        yield Step(None, NOTICE, By.CUSTOMER)
    moving = [part for part in going if outcome[part.key] is Choice.TAKE]
    safe: list[Key] = []
    own: dict[int, Key] = {}
    for part in [*moving, *(part for part in going if part not in moving)]:
        for step in _chain(part, outcome[part.key]):
            yield step
            own[part.key] = step.key
        if part in moving and part.key in own:
            safe.append(own[part.key])
            for staying in _pointed_at(part, parts, outcome, by_key, undecided):
                back = Step(staying.key, POINT_BACK, By.CUSTOMER, (own[part.key],), other=part.key)
                yield back
                safe.append(back.key)
    depth = {part.key: len(_above(part, by_key)) for part in parts}
    ended: list[tuple[Part, Key]] = []
    for part in sorted(going, key=lambda part: -depth[part.key]):
        resting = [key for below, key in ended if part in _above(below, by_key) and depth[below.key] > depth[part.key]]
        first = [THE_NOTICE] if needs_notice else []
        before = dict.fromkeys([*first, *([own[part.key]] if part.key in own else []), *safe, *resting])
        for doing in kind_of(part.kind).doings[outcome[part.key]]:
            if doing.ends:
                yield Step(part.key, doing.code, doing.by, tuple(before), ends=True)
                ended.append((part, (part.key, doing.code)))
                before = {(part.key, doing.code): None}


def _chain(part: Part, choice: Choice) -> Iterator[Step]:
    """Yield what is to be done for one part before anything ends, each after the one before it."""
    before: tuple[Key, ...] = ()
    for doing in kind_of(part.kind).doings[choice]:
        if not doing.ends:
            yield Step(part.key, doing.code, doing.by, before)
            before = ((part.key, doing.code),)


def _pointed_at(
    moved: Part,
    parts: Sequence[Part],
    outcome: Mapping[int, Choice],
    by_key: Mapping[int, Part],
    undecided: Collection[int],
) -> Iterator[Part]:
    """Yield the parts that stay here and need one that moves away."""
    for part in parts:
        stays = outcome[part.key] is Choice.KEEP and part.key not in undecided
        if stays and moved in _above(part, by_key):
            yield part
