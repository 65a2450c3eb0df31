"""Every sentence that a person reads, in Turkish and in English.

Laws
1. A sentence is named by its English text (the msgid). Turkish stands in tr/LC_MESSAGES/guvercin.po.
2. A catalogue that is missing stops the start and says so: nobody gets English in silence.
3. A sentence is a literal inside `say(…)` or `sentence(…)`, or it stands in the tables of this package. So the tests
   find every one, and none can be without its Turkish.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

_FOLDER = Path(__file__).parent


class Language(StrEnum):
    """The languages that we speak, the default one first."""

    TR = "tr"
    EN = "en"


class CatalogueMissing(Exception):  # noqa: N818 -- it says what is the matter
    """A compiled catalogue is not where the package should have it; the message says in both languages what to do."""

    def __init__(self, catalogue: Path) -> None:
        name = "/".join(catalogue.parts[-4:])
        super().__init__(
            f"Türkçe metinler derlenmemiş ({name} yok): Güvercin'i yeniden kurun ya da `make setup` çalıştırın. | "
            f"The Turkish catalogue is not compiled ({name} is missing): install Güvercin again, or run `make setup`.",
        )


@dataclass(frozen=True, slots=True)
class Translator:
    """Says sentences in one language. By custom it is called `say`: law 3 hangs on that name."""

    language: Language
    _catalogue: NullTranslations

    def __call__(self, text: str, /, **params: str | int) -> str:
        """Answer a sentence in this language, its `{name}` places filled from `params`.

        Integers are amounts and get their thousands marked (10.000 in Turkish); ids go in as text. Without params
        nothing is filled, so braces that belong to the text stay. An unknown sentence answers as it is.
        """
        told = self._catalogue.gettext(text) if text else ""
        return told.format(**{name: self._written(value) for name, value in params.items()}) if params else told

    def _written(self, value: str | int) -> str:
        if isinstance(value, str):
            return value
        return f"{value:,}".replace(",", "." if self.language is Language.TR else ",")


@cache
def translator(language: Language) -> Translator:
    """Answer the translator of a language. Raises CatalogueMissing."""
    return read_translator(language, _FOLDER)


def read_translator(language: Language, folder: Path) -> Translator:
    """Read a translator from the catalogues below a folder. Raises CatalogueMissing."""
    if language is Language.EN:
        return Translator(language, NullTranslations())
    catalogue = folder / language / "LC_MESSAGES" / "guvercin.mo"
    try:
        with catalogue.open("rb") as compiled:
            return Translator(language, GNUTranslations(compiled))
    except FileNotFoundError:
        raise CatalogueMissing(catalogue) from None


def sentence(text: str, /) -> str:
    """Mark a text as a sentence of the catalogue, for those that are said later. Answers it as it is."""
    return text


def choose_language(accept_language: str | None) -> Language:
    """Answer the language that an Accept-Language header prefers among ours; Turkish when it names none of them."""
    wishes = weights(accept_language or "")
    for wish in sorted((wish for wish, weight in wishes.items() if weight), key=wishes.__getitem__, reverse=True):
        for language in Language:
            is_refused = wishes.get(language) == 0
            if wish.partition("-")[0] == language or (wish == "*" and not is_refused):
                return language
    return Language.TR


_QVALUE = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")


def weights(header: str) -> dict[str, float]:
    """Read a header of weighted choices (RFC 9110, 12.4.2): lower-cased choice -> weight from 0 to 1, as ordered there.

    A choice whose weight can't be read is left out; other parameters of a choice are dropped.
    """
    found: dict[str, float] = {}
    for part in header.split(","):
        choice, *parameters = (piece.strip().lower() for piece in part.split(";"))
        qs = [parameter[2:].strip() for parameter in parameters if parameter.startswith("q=")]
        weight = qs[0] if qs else "1"
        if choice and _QVALUE.fullmatch(weight):
            found.setdefault(choice, float(weight))
    return found
