"""What a public page must show, read from its HTML as a visitor's browser gets it.

Pure: no clock, no settings, no template. Each rule returns its faults as sentences that begin with the address; an
empty answer means that the page is as it must be. Labels are compared byte for byte, blanks around them aside.
What only a browser can see (contrast, size, what a style sheet hides) is measured by ``make fairness``.
Source: LAW R1–R5, R11, R15.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from subscriptions.lexicon import preselected

VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
# What a page with a closed list of contents is made of; anything else on it is an addition.
CLOSED_TAGS = frozenset(
    "h1 form fieldset legend label input textarea select option button div span ul ol li p small strong br".split()
)
A_PRICE = re.compile(r"[€£¥$]\s?\d|\d\s?(?:[€£¥円]|EUR\b|USD\b|GBP\b|PLN\b|JPY\b)")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the form of one door must be like, by its pack on a day."""

    confirm_label: str
    has_recap: bool
    needed: Collection[str]
    most_groups: int
    # Nothing but heading, fields, the button and messages may stand there.
    is_closed: bool


@dataclass(slots=True, eq=False)
class Element:
    """One element of a page, with what stands in it."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    parent: Element | None = None
    inside: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the text of the element and all in it, without blanks around."""
        return self._whole().strip()

    def _whole(self) -> str:
        return "".join(part if isinstance(part, str) else part._whole() for part in self.inside)

    def all(self, *tags: str) -> Iterator[Element]:
        """Return the elements within, of these tags or of any."""
        for part in self.inside:
            if isinstance(part, Element):
                if not tags or part.tag in tags:
                    yield part
                yield from part.all(*tags)

    @property
    def is_hidden(self) -> bool:
        """Tell whether the page keeps the element from sight, or behind something that has to be opened."""
        here: Element | None = self
        while here is not None:
            if "hidden" in here.attrs or here.attrs.get("aria-hidden") == "true":
                return True
            if here.tag in {"template", "noscript", "dialog"} or (here.tag == "details" and "open" not in here.attrs):
                return True
            here = here.parent
        return False


class _Tree(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.root = self.here = Element("")
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(made)
        if tag not in VOID:
            self.here = made

    def handle_endtag(self, tag: str) -> None:
        found: Element | None = self.here
        while found is not None and found.tag != tag:
            found = found.parent
        if found is not None and found.parent is not None:
            self.here = found.parent

    def handle_data(self, data: str) -> None:
        self.here.inside.append(data)


def parsed(html: str) -> Element:
    """Return the page as a tree; a page that is no HTML is a tree with little in it."""
    return _Tree(html).root


# ---------------------------------------------------------------- the entry


def entry_faults(html: str, where: str, label: str, form_paths: Collection[str]) -> Iterator[str]:
    """Return what is wrong with the entry on a public page: missing, hidden, worded otherwise, or leading elsewhere."""
    entries = [link for link in parsed(html).all("a") if link.text == label]
    if not entries:
        yield f"{where}: no entry says “{label}”"
    elif all(link.is_hidden for link in entries):
        yield f"{where}: the entry “{label}” is hidden"
    elif not any(_path(link) in form_paths for link in entries if not link.is_hidden):
        yield f"{where}: the entry “{label}” leads to {_path(entries[0]) or 'nowhere'}, not to the form"


def _path(link: Element) -> str:
    return re.split(r"[?#]", link.attrs.get("href", ""))[0]


# ---------------------------------------------------------------- the form


def form_faults(html: str, where: str, rules: Rules) -> Iterator[str]:
    """Return what is wrong with a page that takes a declaration."""
    main = next(parsed(html).all("main"), None)
    forms = [form for form in main.all("form") if not form.is_hidden] if main else []
    if main is None or len(forms) != 1:
        yield f"{where}: one form is expected, there are {len(forms)}"
        return
    [form] = forms
    if form.attrs.get("method", "").lower() != "post":
        yield f"{where}: the form is not sent by POST"
    yield from _field_faults(form, where, rules)
    yield from _button_faults(form, where, rules)
    if rules.is_closed:
        yield from _additions(main, where)


def _field_faults(form: Element, where: str, rules: Rules) -> Iterator[str]:
    fields = [one for one in form.all("input", "textarea", "select") if one.attrs.get("type") != "hidden"]
    names = {one.attrs.get("name", "") for one in fields if not one.is_hidden}
    for name in sorted(set(rules.needed) - names):
        yield f"{where}: the field “{name}” is missing"
    for name in sorted({one.attrs.get("name", "") for one in fields if "required" in one.attrs} - set(rules.needed)):
        yield f"{where}: the field “{name}” may not be required"
    if any(one.attrs.get("type") == "password" for one in fields):
        yield f"{where}: a password is asked for"
    if (groups := sum(1 for _group in form.all("fieldset"))) > rules.most_groups:
        yield f"{where}: {groups} groups of fields, at most {rules.most_groups} are allowed"
    for chosen in preselected(_again(form)):
        yield f"{where}: “{chosen.name}” is chosen beforehand ({chosen.value})"


def _again(form: Element) -> str:
    """Return the choices of a form as markup."""
    parts = []
    for one in form.all("input", "select", "option"):
        given = " ".join(f'{name}="{value}"' for name, value in one.attrs.items() if name in CHOICE)
        parts.append(f"<{one.tag} {given}>")
    return "".join(parts)


CHOICE = frozenset({"name", "value", "checked", "selected", "type"})


def _button_faults(form: Element, where: str, rules: Rules) -> Iterator[str]:
    buttons = [one for one in _submits(form) if not one.is_hidden]
    if rules.has_recap:
        if any(_label(one) == rules.confirm_label for one in buttons):
            yield f"{where}: it declares at once, a page to check has to come first"
        if not buttons:
            yield f"{where}: no button leads on"
        return
    yield from confirm_faults(form, where, rules.confirm_label)


def confirm_faults(form: Element, where: str, label: str) -> Iterator[str]:
    """Return what is wrong with the button that declares: there must be one, and it says the label and nothing else."""
    buttons = [one for one in _submits(form) if not one.is_hidden]
    told = [one for one in buttons if _label(one) == label]
    if not told:
        shown = ", ".join(f"“{_label(one)}”" for one in buttons) or "none"
        yield f"{where}: no button says “{label}”; there is: {shown}"
    elif any("disabled" in one.attrs for one in told):
        yield f"{where}: the button “{label}” cannot be pressed"


def _submits(form: Element) -> list[Element]:
    kinds = {"submit", "image"}
    buttons = [one for one in form.all("button") if one.attrs.get("type", "submit") in kinds]
    return buttons + [one for one in form.all("input") if one.attrs.get("type") in kinds]


def _label(button: Element) -> str:
    return button.attrs.get("value", "").strip() if button.tag == "input" else button.text


def recap_faults(html: str, where: str, label: str) -> Iterator[str]:
    """Return what is wrong with the page to check before the act."""
    forms = [form for main in parsed(html).all("main") for form in main.all("form") if not form.is_hidden]
    if len(forms) != 1:
        yield f"{where}: after the fields, one page to check with one form is expected, there are {len(forms)}"
        return
    yield from confirm_faults(forms[0], f"{where} (page to check)", label)


def _additions(main: Element, where: str) -> Iterator[str]:
    """Return what stands on a page with a closed list of contents beside what belongs there."""
    for tag in sorted({one.tag for one in main.all()} - CLOSED_TAGS):
        yield f"{where}: <{tag}> does not belong on this page"
    if (buttons := sum(1 for _one in main.all("button")) + sum(1 for one in main.all("input") if _pushes(one))) > 1:
        yield f"{where}: {buttons} buttons, one is allowed"
    if A_PRICE.search(main.text):
        yield f"{where}: a price does not belong on this page"


def _pushes(field: Element) -> bool:
    return field.attrs.get("type") in {"submit", "button", "image", "reset"}
