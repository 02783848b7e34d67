"""Words that make an offer, in the five languages: looked for where no offer may stand."""

from __future__ import annotations

import re

# What a page says that tries to keep somebody: a price cut, a rest, another plan. Looked for where no offer may stand.
OFFERING = re.compile(
    r"\d ?% off|\d ?[%％]オフ|discount|rabatt|réduction|remise de \d|zniżk|rabat(?:u|em)?\b|割引|"
    r"free month|gratismonat|mois (?:offert|gratuit)|darmowy miesiąc|無料月|"
    r"(?:pause|freeze) (?:your|instead)|stattdessen pausieren|mettre en pause|wstrzymaj zamiast|一時休止|"
    r"(?:smaller|cheaper) plan|kleinerer tarif|offre moins chère|tańszy plan|安いプラン",
    re.IGNORECASE,
)


def offering(text: str) -> list[str]:
    """Return the words of a text that make an offer, in any of the five languages."""
    return [found[0] for found in OFFERING.finditer(text)]
