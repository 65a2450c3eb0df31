"""Numbers of people who were forgotten: a keyed hash stands in their place, by which a refusal goes on holding.

A statement says `hide(?1)` where it puts one away, and `hidden(?1)` where it looks for one: that is the number itself
while nobody was ever forgotten. SQLite calls our functions; for PostgreSQL they are values beside the statement's own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from guvercin.core.rights import HIDDEN
from guvercin.sealing import Seal

_CALL = re.compile(r"\b(hide|hidden)\(\?(\d+)\)")


@dataclass(frozen=True, slots=True)
class Hiding:
    """A call in a statement: of which value, counted from 1; `is_new`: to put it away."""

    place: int
    is_new: bool


def hide(seal: Seal, phone: str) -> str:
    """Answer what stands in the place of a number from now on. OSError: there can be no key."""
    return HIDDEN + seal.hide(phone)


def hidden(seal: Seal, phone: str) -> str:
    """Answer what stands in the place of a number, if it was put away; itself while none was."""
    known_as = seal.known_as(phone)
    return phone if known_as is None else HIDDEN + known_as


def without_hiding(statement: str) -> tuple[str, Sequence[Hiding]]:
    """Answer a statement in which our calls are values of their own, behind the others, and what those are."""
    found: list[Hiding] = []
    if "hid" not in statement:
        return statement, found
    own = max((int(number) for number in re.findall(r"\?(\d+)", statement)), default=0)

    def as_value(call: re.Match[str]) -> str:
        found.append(Hiding(int(call[2]), call[1] == "hide"))
        return f"?{own + len(found)}"

    return _CALL.sub(as_value, statement), found


def stand_in(seal: Seal | None, wanted: Hiding, phone: str) -> str:
    """Answer the value of a call."""
    if seal is None:
        return phone
    return hide(seal, phone) if wanted.is_new else hidden(seal, phone)
