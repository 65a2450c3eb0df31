"""One text for many people: `{isim}` and whatever else the sender knows of each of them.

Laws
1. A text is read once and whole: what is wrong with it is told before anybody gets anything.
2. A place that nothing fills and that names no fallback is a fault, never an empty spot in somebody's message.
3. What fills a place is put there as it is: it is not read again, so a name with braces in it stays a name.
4. Names are compared by their folds: `{Tutar TL}` and a column «TUTAR_TL» are the same.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from guvercin.core.folding import fold

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class BrokenTemplate(ValueError):  # noqa: N818 -- what the text is
    """A text whose places can't be read: a brace alone (`acik_ayrac`) or a place without a name (`adsiz_yer`).

    `at` is the letter where it stands, counted from 1.
    """

    def __init__(self, fault: str, at: int) -> None:
        super().__init__(fault)
        self.fault = fault
        self.at = at


@dataclass(frozen=True, slots=True)
class Slot:
    """A place to fill: its name as written, the fold that it is found by, and what stands there if nothing fills it."""

    name: str
    key: str
    fallback: str | None = None


@dataclass(frozen=True, slots=True)
class Template:
    """A text with places in it."""

    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Answer the places, in order."""
        return tuple(part for part in self.parts if isinstance(part, Slot))

    def missing(self, values: Mapping[str, str]) -> Slot | None:
        """Answer the first place that neither `values` (by folded name) nor a fallback fills."""
        return next((slot for slot in self.slots if not values.get(slot.key) and slot.fallback is None), None)

    def fill(self, values: Mapping[str, str]) -> str:
        """Answer the text for one person. Every place must be filled (`missing` says null)."""
        return "".join(
            part if isinstance(part, str) else values.get(part.key) or part.fallback or "" for part in self.parts
        )


def read_template(text: str) -> Template:
    """Read `{name}`, `{name|fallback}`, and `{{` and `}}` for the braces themselves. Raises BrokenTemplate."""
    parts: list[str | Slot] = []
    plain, end = "", 0
    for found in _TOKEN.finditer(text):
        plain += text[end : found.start()]
        end = found.end()
        if found[0] in {"{{", "}}"}:
            plain += found[0][0]
            continue
        if found[1] is None:
            raise BrokenTemplate("acik_ayrac", found.start() + 1)
        name, bar, fallback = found[1].partition("|")
        key = fold(name)
        if not key:
            raise BrokenTemplate("adsiz_yer", found.start() + 1)
        if plain:
            parts.append(plain)
            plain = ""
        parts.append(Slot(name.strip(), key, fallback.strip() if bar else None))
    plain += text[end:]
    if plain:
        parts.append(plain)
    return Template(tuple(parts))


def known_values(values: Mapping[str, str]) -> dict[str, str]:
    """Answer values by the folds of their names; one that holds nothing but space fills nothing."""
    return {fold(name): value.strip() for name, value in values.items() if value.strip()}
