"""Words that press somebody who leaves, or who reads about leaving: refused in every language, on every page."""

from __future__ import annotations

import re

# Guilt, urgency, shame, fear of loss: none of it is said to somebody who leaves, in any language.
REFUSED = {
    "en": (
        r"sorry to see|sad to see|(?:will|['’]ll) miss you|are you (?:really )?sure|do you really want|"
        r"(?:don['’]t|do not) (?:go|leave)|(?:please )?stay with us|last chance|hurry|act now|limited[- ]time|"
        r"today only|only today|you(?:['’]ll| will) lose|about to lose|miss(?:ing)? out|don['’]t miss|"
        r"regret|too late to|running out|expires soon|exclusive offer|final offer"
    ),
    "de": (
        r"schade, dass|vermissen|sind sie (?:sich )?(?:wirklich )?sicher|wirklich kündigen|gehen sie nicht|"
        r"bleiben sie (?:doch|bei uns)|letzte (?:chance|gelegenheit)|beeilen|nur (?:noch )?heute|"
        r"nur (?:noch )?(?:für )?kurze zeit|zeitlich begrenzt|sie verlieren|verpassen|bereuen|läuft bald ab|"
        r"jetzt zugreifen|exklusives angebot"
    ),
    "fr": (
        r"de vous voir partir|(?:allez nous manquer|nous manquerez)|êtes-vous (?:vraiment )?sûr|"
        r"voulez-vous vraiment|ne (?:partez|nous quittez) pas|restez avec nous|dernière chance|dépêchez-vous|"
        r"faites vite|offre limitée|durée limitée|aujourd[’']hui seulement|vous (?:allez perdre|perdrez|perdez)|"
        r"ne (?:manquez|ratez) pas|regrett|trop tard|expire bientôt|offre exclusive"
    ),
    "pl": (
        r"przykro nam|szkoda, że|będzie nam .{0,12}brak|czy na pewno|na pewno chcesz|jesteś pew(?:ien|na)|"
        r"nie odchodź|zosta(?:ń|ńcie) z nami|ostatnia (?:szansa|okazja)|pospiesz|śpiesz|tylko (?:dziś|dzisiaj)|"
        r"ograniczon\w* (?:czas|ofert)|(?:u|s)?tracisz|utracą państwo|nie przegap|żałowa|pożałuj|wkrótce wygaśnie"
    ),
    "ja": (
        r"寂し|残念|本当に(?:よろしい|解約)|よろしいですか|行かないで|最後のチャンス|ラストチャンス|お急ぎ|急いで|"
        r"今だけ|本日限り|期間限定|失います|失われます|損をし|損します|お見逃し|後悔|もったいない|間もなく終了"
    ),
}


def pressing(text: str, *languages: str) -> list[str]:
    """Return the words of a text that press, in these languages."""
    found = (re.findall(REFUSED[language], text, re.IGNORECASE) for language in languages or REFUSED)
    return [word for words in found for word in words]


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
