"""How the log is searched for what no index holds: a text, or who asked.

Laws
1. A question reads at most WINDOW rows, the newest first, however long the log is; its answer says from which row on to
   ask again. So a page costs the same with a million messages as with ten.
2. Letters are compared as a Turkish reader does (core/folding.py), by the database itself: nothing is read out to be
   thrown away. The pattern is SQLite's; without its two stars it is one of PostgreSQL's too (words.py).
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import orjson

from guvercin.core.log import MessageFilter
from guvercin.core.message import WaitsFor

WINDOW = 50_000
"""Rows that one question looks at."""

Condition: TypeAlias = tuple[str, int | str | None]

_ALIKE = ("iıİIîÎ", "cçÇC", "gğĞG", "oöÖO", "sşŞS", "uüÜûÛU", "aâÂA")
_CLASSES = {letter: f"[{letters}]" for letters in _ALIKE for letter in letters}
_ALONE = "*?[.+(){}|$"
"""Signs that mean something to SQLite's GLOB or to PostgreSQL's `~`, and themselves in brackets."""

_NEVER_ALONE = "^\\]"
"""Signs that mean something in brackets too: they stand for any sign."""

_ANY_SIGN = "[^a-zA-Z0-9 ]"
_LISTED = "(SELECT value FROM json_each(?))"
_LISTED_IDS = "(SELECT CAST(value AS BIGINT) FROM json_each(?))"
_SAYS = "(coalesce(body, '') || '\n' || coalesce(recipient_name, '') || '\n' || coalesce(file_name, '')) GLOB ?"


def is_combed(wanted: MessageFilter) -> bool:
    """Say whether a filter asks for something that no index holds."""
    return wanted.text is not None or wanted.askers is not None or wanted.is_of_batch is not None


def pattern(words: str) -> str:
    """Answer the GLOB that finds words anywhere in a text, whatever their case and accents."""
    return "*" + "".join(map(_class_of, words.strip())) + "*"


def _class_of(letter: str) -> str:
    if letter in _CLASSES:
        return _CLASSES[letter]
    if letter in _ALONE:
        return f"[{letter}]"
    if letter in _NEVER_ALONE:
        return _ANY_SIGN
    low, high = letter.lower(), letter.upper()
    return letter if low == high or len(low) > 1 or len(high) > 1 else f"[{low}{high}]"


def conditions(wanted: MessageFilter) -> list[Condition]:
    """Answer what a row has to be, beside what the indexes know."""
    found: list[Condition] = []
    if wanted.text is not None:
        found.append((_SAYS, pattern(wanted.text)))
    if wanted.askers is not None:
        word = "IN" if wanted.askers.is_one_of_them else "NOT IN"
        ids = orjson.dumps(sorted(wanted.askers.token_ids)).decode()
        found.append((f"+token_id {word} {_LISTED_IDS}", ids))
    if wanted.is_of_batch is not None:
        found.append(("+batch_id IS NOT NULL" if wanted.is_of_batch else "+batch_id IS NULL", None))
    return found


def simple(wanted: MessageFilter) -> list[Condition]:
    """Answer what the indexes would know as conditions of a row: a window is read in the order of ids."""
    found: list[Condition] = []
    if wanted.account_ids is not None:
        found.append((f"+account_id IN {_LISTED_IDS}", orjson.dumps(sorted(wanted.account_ids)).decode()))
    if wanted.statuses is not None:
        found.append((f"+status IN {_LISTED}", orjson.dumps([each.value for each in wanted.statuses]).decode()))
    if wanted.account_id is not None:
        found.append(("+account_id = ?", wanted.account_id))
    if wanted.category is not None:
        found.append(("+category = ?", wanted.category))
    if wanted.scheduled is not None:
        found.append(("+waits_for IS ?" if wanted.scheduled else "+waits_for IS NOT ?", WaitsFor.TIME.value))
    return found


def floor_of(raw: Any, within: Sequence[Condition], window: int) -> int:
    """Answer the id above which a question looks: `window` rows below the newest that its other conditions allow.

    0: nothing that they allow lies below.
    """
    tops = [value for term, value in within if term == "id < ?" and isinstance(value, int)]
    top = min(tops) if tops else raw.execute("SELECT coalesce(max(id), 0) + 1 FROM message").fetchone()[0]
    floor = int(top) - window
    ends = any(term == "id >= ?" and (not isinstance(value, int) or value >= floor) for term, value in within)
    return 0 if ends else max(0, floor)
