"""The ledger of policy packs: what each entry said when it was added, so that history is only added to.

It is a file of digests beside the packs: pack, parameter, day (and sector), and a digest of value, unit, basis and
the day that counts. Sources, confidence and review days may be corrected at any time; what a rule said may not.
Pure: reads and returns text and mappings. Raises nothing for a ledger that cannot be read: that is a fault, too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from subscriptions.packs import Fault, Pack, Value

FILE = "history.json"
# Pack → parameter → "2022-03-01" or "2022-03-01 telecom" → digest.
Ledger = dict[str, dict[str, dict[str, str]]]


def digest(entry: Value) -> str:
    """Return a short digest of what an entry says, and from which day of which kind on."""
    said = [entry.value, entry.unit, entry.since.isoformat(), entry.sector, entry.by, entry.basis]
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def key(entry: Value) -> str:
    """Return what an entry is found by within its pack and parameter."""
    return f"{entry.since} {entry.sector}".strip()


def of(packs: Mapping[str, Pack]) -> Ledger:
    """Return the ledger of packs as they are written now."""
    return {
        code: {name: {key(entry): digest(entry) for entry in entries} for name, entries in sorted(pack.entries.items())}
        for code, pack in packs.items()
    }


def read(text: str) -> Ledger | None:
    """Return a ledger from its text; None where it is none."""
    try:
        written = json.loads(text)
        return {
            str(code): {str(name): {str(day): str(said) for day, said in days.items()} for name, days in names.items()}
            for code, names in written.items()
        }
    except (ValueError, AttributeError):
        return None


def write(ledger: Ledger) -> str:
    """Return a ledger as text, one entry a line."""
    return json.dumps(ledger, indent=1, ensure_ascii=False) + "\n"


def added(recorded: Ledger, packs: Mapping[str, Pack]) -> Ledger:
    """Return a ledger with the entries that are new; what is recorded already stays as it is recorded."""
    grown: dict[str, Any] = json.loads(json.dumps(recorded))
    for code, names in of(packs).items():
        for name, days in names.items():
            known = grown.setdefault(code, {}).setdefault(name, {})
            grown[code][name] = {**days, **known}
    return grown


def broken(recorded: Ledger, packs: Mapping[str, Pack]) -> list[Fault]:
    """Return a fault for every recorded entry that is gone or says something else now."""
    now = of(packs)
    remedy = (
        "Put it back and add a new entry from the day of the change. Only to mend an entry that was wrong from the "
        f"start, take its line out of {FILE}, too."
    )
    faults = []
    for code, names in recorded.items():
        for name, days in names.items():
            for day, said in days.items():
                found = now.get(code, {}).get(name, {}).get(day)
                if found != said:
                    what = f"the entry of {day} {'is gone' if found is None else 'has been changed'}"
                    faults.append(Fault(f"{code}.toml", name, what, remedy))
    return faults


def unrecorded(recorded: Ledger, packs: Mapping[str, Pack]) -> list[str]:
    """Return the entries that the ledger does not know yet, as "pack parameter day"."""
    return [
        f"{code} {name} {day}"
        for code, names in of(packs).items()
        for name, days in names.items()
        for day in days
        if day not in recorded.get(code, {}).get(name, {})
    ]
