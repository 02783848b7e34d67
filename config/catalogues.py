"""Compile the message catalogues: ``python -m config.catalogues``. Babel does it, so no GNU gettext is needed."""

from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_all(folder: Path = LOCALE) -> int:
    """Write a ``.mo`` beside every ``.po``; return how many. Fuzzy translations stay out."""
    catalogues = sorted(folder.glob("*/LC_MESSAGES/*.po"))
    for path in catalogues:
        with path.open("rb") as source:
            catalogue = read_po(source, locale=path.parts[-3])
        with path.with_suffix(".mo").open("wb") as target:
            write_mo(target, catalogue)
    return len(catalogues)


if __name__ == "__main__":
    compile_all()
