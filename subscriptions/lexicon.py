"""Words that press somebody who leaves, in five languages: none stands in a page, a letter or an operator's text.

Guilt, fear of loss, urgency, countdowns, double negatives, and refusals put into the reader's mouth ("No thanks, I want
to…"). A phrase is listed where it has hardly a calm use; what a phrase list cannot see (a threat in calm words) stays a
matter of reading. Nothing here is raised, and nothing knows Django.
Source: LAW R15; UWG 4a; the phrases that products were found to use when their ways out were compared.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from html.parser import HTMLParser


class Pressure(StrEnum):
    """How a phrase presses."""

    GUILT = "guilt"
    LOSS = "loss"
    URGENCY = "urgency"
    COUNTDOWN = "countdown"
    DOUBLE_NEGATIVE = "double negative"
    SHAMING = "shaming"


@dataclass(frozen=True, slots=True)
class Found:
    """A phrase of a text that presses, as it stands there."""

    phrase: str
    pressure: Pressure
    language: str


# A number as it is read, or the place in a template where one is put in.
N = r"(?:\d+|%\(\w+\)\w|\{\{[^{}]*\}\}|\{\w*\})"

# Texts are folded before they are searched: see ``folded``. A blank stands for any run of blanks and line ends.
PHRASES: dict[str, dict[Pressure, str]] = {
    "en": {
        Pressure.GUILT: (
            r"(?:sorry|sad) to see|(?:sorry|sad) (?:that )?you(?:'re| are)? (?:leav|go)\w*|hate to see|"
            r"(?:will|'ll) miss you|are you (?:really |absolutely )?sure|do you really want|"
            r"(?:don't|do not) (?:go|leave)\b|(?:please )?stay with us|(?:won't|why not) (?:you )?stay|before you go\b|"
            r"(?:really|this) goodbye|to be goodbye|(?:please )?(?:think again|reconsider)|break(?:ing)? up with us"
        ),
        Pressure.LOSS: (
            r"you(?:'ll| will|'d| would) lose|about to lose|lose access|miss(?:ing)? out|don't miss|regret|"
            r"too late to|before it(?:'s| is) too late|say goodbye to|forfeit|"
            r"give up (?:all )?your (?:benefits?|discounts?|savings|price)"
        ),
        Pressure.URGENCY: (
            r"last chance|hurry|act (?:now|fast)|limited[- ]time|today only|only today|running out|expires soon|"
            r"ends (?:soon|today|tonight)|(?:exclusive|final|one[- ]time|once[- ]only) offer|now or never|don't wait|"
            r"while (?:stocks?|supplies) lasts?|for a short time only|only a few left"
        ),
        Pressure.COUNTDOWN: (
            rf"count(?:ing|s)?[- ]?down|{N} (?:hour|minute|second)s? (?:left|remaining|to go)|only {N} days? left|"
            rf"offer (?:ends|expires) in\b|\b{N} left at this price|time (?:left|remaining):"
        ),
        Pressure.DOUBLE_NEGATIVE: (
            r"(?:do not|don't|never) (?:un|de)(?:check|tick|select|subscribe)\w*|"
            r"(?:un|de)(?:check|tick|select) (?:this|the) box (?:if|unless|to|when)|"
            r"(?:do not|don't|cannot|can't) not\b|not (?:want|wish)(?:ing)? (?:us )?(?:to )?not\b|"
            r"(?:do not|don't) cancel (?:the|my|your) cancell?ation"
        ),
        Pressure.SHAMING: (
            r"no,? thank(?:s| you)[,.:;–— -]+i(?:'d|'ll|'m|'ve)?\b|"
            r"no[,.:;–— -]+i(?:'d| would)? (?:rather|prefer|hate)\b|"
            r"no[,.:;–— -]+i (?:want|would like|'d like) to (?:cancel|leave|quit|lose|pay|miss)|"
            r"i(?:'d| would) rather (?:pay|lose|miss)|i (?:don't|do not) (?:want|like) (?:to save|saving)"
        ),
    },
    "de": {
        Pressure.GUILT: (
            r"schade, (?:dass|wenn)|leid, dass sie (?:gehen|uns)|vermissen|macht uns traurig|"
            r"sind sie (?:sich )?(?:wirklich |ganz )?sicher|"
            r"wirklich (?:kündigen|beenden|gehen|verlassen|abschied)|gehen sie (?:bitte )?nicht|"
            r"bleiben sie (?:doch|bei uns|uns treu)|bevor sie (?:gehen|uns verlassen)|"
            r"überlegen sie (?:es sich|noch ?(?:ein)?mal)|überdenken sie"
        ),
        Pressure.LOSS: (
            r"sie (?:verlieren|verlören|würden .{1,40} verlieren)|verlieren sie|verpassen|bereuen|"
            r"entgeh(?:t|en) ihnen|geht ihnen .{0,20}verloren|bevor es zu spät"
        ),
        Pressure.URGENCY: (
            r"letzte (?:chance|gelegenheit)|letztes angebot|beeilen|nur (?:noch )?heute|"
            r"nur (?:noch )?(?:für )?kurze zeit|zeitlich begrenzt|läuft bald ab|endet (?:bald|heute)|"
            r"jetzt zugreifen|(?:exklusives|einmaliges) angebot|jetzt oder nie|handeln sie (?:jetzt|sofort|schnell)|"
            r"solange (?:der )?vorrat"
        ),
        Pressure.COUNTDOWN: (
            rf"countdown|nur noch {N} (?:tag|stunde|minute|sekunde)|"
            rf"noch {N} (?:stunden?|minuten?|sekunden?) (?:gültig|übrig|zeit)|angebot endet in|nur noch {N} übrig"
        ),
        Pressure.DOUBLE_NEGATIVE: (
            r"nicht (?:abwählen|abbestellen|nicht|unterlassen)|häkchen (?:\w+ )?(?:entfernen|wegnehmen)|"
            r"entfernen sie das häkchen|kündigung nicht (?:abbrechen|stornieren|zurücknehmen)\b"
        ),
        Pressure.SHAMING: (
            r"nein,? danke[,.:;–— -]+ich\b|"
            r"nein[,.:;–— -]+ich (?:will|möchte) (?:kündigen|gehen|lieber|mehr|nicht|kein)|"
            r"nein[,.:;–— -]+ich (?:verzichte|zahle)|ich (?:zahle|bezahle) lieber|ich (?:will|möchte) nicht sparen"
        ),
    },
    "fr": {
        Pressure.GUILT: (
            r"de vous voir partir|(?:désolé|triste)s? (?:que vous|de vous perdre)|"
            r"(?:allez nous manquer|nous manquerez)|"
            r"êtes-vous (?:vraiment |bien )?(?:sûr|certain)|(?:voulez|souhaitez)-vous vraiment|"
            r"ne (?:partez|nous quittez) pas|restez (?:avec|parmi) nous|avant de (?:partir|nous quitter)|"
            r"est-ce (?:vraiment )?un (?:adieu|au revoir)|réfléchissez (?:encore|bien|-y)"
        ),
        Pressure.LOSS: (
            r"vous (?:allez perdre|perdrez|perdez|perdriez)|ne (?:manquez|ratez) pas|passer à côté|regrett|trop tard|"
            r"renonce[rz]? à (?:vos|votre|mes|mon|cette|cet) (?:avantage|remise|réduction|offre|prix)"
        ),
        Pressure.URGENCY: (
            r"dernière (?:chance|offre)|dépêchez-vous|faites vite|offre limitée|durée limitée|"
            r"aujourd'hui seulement|seulement aujourd'hui|expire bientôt|offre (?:exclusive|unique)|"
            r"maintenant ou jamais|jusqu'à épuisement|n'attendez (?:pas|plus)"
        ),
        Pressure.COUNTDOWN: (
            rf"compte à rebours|plus que {N} (?:jour|heure|minute|seconde)|"
            rf"offre (?:se termine|expire) dans|plus que {N} (?:disponible|place)"
        ),
        Pressure.DOUBLE_NEGATIVE: (
            r"ne (?:pas )?(?:décoche[rz]|désélectionne[rz])|décoche[rz] (?:cette|la) case|"
            r"ne pas annuler (?:la|ma|votre) résiliation|ne pas ne pas"
        ),
        Pressure.SHAMING: (
            r"non,? merci[,.:;–— -]+je\b|"
            r"non[,.:;–— -]+je (?:préfère|renonce|ne veux|veux (?:résilier|partir|perdre|payer))|"
            r"je (?:préfère|aime mieux) (?:payer|perdre)|je ne veux pas (?:économiser|profiter)"
        ),
    },
    "pl": {
        Pressure.GUILT: (
            r"przykro nam|smutno nam|szkoda, że|będzie nam .{0,12}brak|będziemy tęsknić|czy na pewno|na pewno chcesz|"
            r"czy naprawdę|jesteś pew(?:ien|na)|nie odchodź|zosta(?:ń|ńcie) z nami|"
            r"zanim (?:odejdziesz|nas opuścisz|odejdą)|czy to (?:już )?(?:koniec|pożegnanie)|przemyśl (?:to|jeszcze)"
        ),
        Pressure.LOSS: (
            r"(?:u|s)?tracisz|utracą państwo|nie przegap|żałowa|pożałuj|ominie cię|zanim będzie za późno|"
            r"przejdzie .{0,8}koło nosa"
        ),
        Pressure.URGENCY: (
            r"ostatnia (?:szansa|okazja|oferta)|pospiesz|śpiesz|tylko (?:dziś|dzisiaj)|ograniczon\w* (?:czas|ofert)|"
            r"wkrótce wygaśnie|teraz albo nigdy|nie zwlekaj|jednorazowa oferta|oferta (?:jednorazowa|na wyłączność)|"
            r"do wyczerpania"
        ),
        Pressure.COUNTDOWN: (
            rf"odliczani|zosta(?:ło|ły|ła) (?:tylko |jeszcze )?{N} (?:dni|dzień|godzin|minut|sekund)|"
            rf"oferta (?:kończy się|wygasa) za"
        ),
        Pressure.DOUBLE_NEGATIVE: (
            r"nie odznacza|odznacz(?:yć)? (?:to |poniższe )?pole|nie anuluj\w* (?:\w+ )?wypowiedzenia"
        ),
        Pressure.SHAMING: (
            r"nie,? dziękuję[,.:;–— -]+(?:wolę|chcę|nie chcę|rezygnuję)|nie[,.:;–—-]+ ?(?:wolę|rezygnuję z)|"
            r"wolę (?:płacić|zapłacić|stracić)|nie chcę oszczędz"
        ),
    },
    "ja": {
        Pressure.GUILT: (
            r"寂し|残念|本当に(?:よろしい|解約|退会)|よろしいですか|行かないで|考え直|思い直|お別れ|"
            r"解約してしまう前に|お帰りになる前に"
        ),
        Pressure.LOSS: (
            r"失います|失われます|損をし|損します|見逃し|見逃さ|後悔|もったいない|手放すことに|無駄になります"
        ),
        Pressure.URGENCY: (
            r"最後のチャンス|ラストチャンス|お急ぎ|急いで|今だけ|本日限り|期間限定|数量限定|(?:間|ま)もなく終了|"
            r"残りわずか|お早めに"
        ),
        Pressure.COUNTDOWN: (
            rf"カウントダウン|残り(?:あと|時間)?{N}(?:日|時間|分|秒)|あと{N}(?:日|時間|分|秒)(?:で終了|しか|限り)"
        ),
        Pressure.DOUBLE_NEGATIVE: (
            r"チェックを(?:外さない|外すと)|ないわけでは(?:な|あり)|しないことは(?:な|あり)|"
            r"解約を(?:取り消さない|キャンセルしない)"
        ),
        Pressure.SHAMING: (
            r"いいえ[、。 ]*(?:結構です[、。 ]*)?(?:損|割引は|特典は|お得)|"
            r"(?:割引|特典|お得)は(?:いりません|要りません|不要です)"
        ),
    },
}
_PATTERNS = {
    language: {pressure: re.compile(phrases, re.IGNORECASE) for pressure, phrases in by_pressure.items()}
    for language, by_pressure in PHRASES.items()
}
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "ʼ": "'"})


def pressing(text: str, *languages: str) -> list[Found]:
    """Return the phrases of a text that press, in these languages or, where none is named, in all of them."""
    told = folded(text)
    return [
        Found(match[0], pressure, language)
        for language in languages or _PATTERNS
        for pressure, pattern in _PATTERNS[language].items()
        for match in pattern.finditer(told)
    ]


def folded(text: str) -> str:
    """Return a text as it is searched: wide letters narrow, one blank for several, no invisible signs."""
    # NFKC also turns a no-break space into a blank, and a soft hyphen or a joiner must not hide a word.
    visible = (c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c) != "Cf")
    return " ".join("".join(visible).translate(_APOSTROPHES).split())


# ---------------------------------------------------------------- what is chosen before anybody chose


@dataclass(frozen=True, slots=True)
class Chosen:
    """A control that a page shows as chosen: its name and its value."""

    name: str
    value: str


def preselected(html: str) -> list[Chosen]:
    """Return the boxes, buttons and options that a page shows as chosen, in their order."""
    return _Choices(html).found


class _Choices(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[Chosen] = []
        self.select = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "select":
            self.select = given.get("name", "")
        if tag == "option" and "selected" in given:
            self.found.append(Chosen(self.select, given.get("value", "")))
        if tag == "input" and "checked" in given:
            self.found.append(Chosen(given.get("name", ""), given.get("value", "on")))
