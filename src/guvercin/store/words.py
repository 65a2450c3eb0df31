"""SQLite's words, read as PostgreSQL's: there is one set of statements, and few words of it differ.

Each statement is translated once for a connection. What can't be said by exchanging words doesn't stand in a statement
that both databases run.
"""

import re
from functools import lru_cache
from itertools import count
from typing import Any

from sqlalchemy.dialects import postgresql

from guvercin.store.hand import BEGIN_READING
from guvercin.store.statements.accepting import INSERTED_COLUMNS
from guvercin.store.tables.messages import message

_WHOLE = {
    BEGIN_READING: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
}

_WORDS = (
    (re.compile(r"CROSS JOIN (\w+ \w+ ON)"), r"JOIN \1"),  # SQLite's way to say which table comes first
    (re.compile(r"(?<=[ (])\+(?=[a-z])"), ""),  # SQLite's way to keep a column out of an index
    (re.compile(r"IS NOT (?=[$'])"), "IS DISTINCT FROM "),
    (re.compile(r"IS (?=\$)"), "IS NOT DISTINCT FROM "),
    (re.compile(r"GLOB (\$\d+)"), r"~ substr(CAST(\1 AS TEXT), 2, length(CAST(\1 AS TEXT)) - 2)"),
    (re.compile(r"(\$\d+) IS NULL"), r"CAST(\1 AS text) IS NULL"),  # which says nothing of what else it is
    (re.compile(r"json_each\((\$\d+)\)"), r"json_array_elements_text(\1::json)"),
)

_SINGLE = {"min": "least", "max": "greatest"}
"""SQLite calls the least of several values as it calls the least of several rows."""

_WITH_AN_ID = re.compile(r"INSERT INTO (account|attempt|batch|destruction|event|hook|message|not_understood|opt_out) ")


def in_postgres(statement: str) -> str:
    """Read a statement as PostgreSQL needs it. An insert into a table with ids answers the ids."""
    if statement in _WHOLE:
        return _WHOLE[statement]
    text = _numbered(statement)
    for pattern, words in _WORDS:
        text = pattern.sub(words, text)
    text = _of_several_values(text)
    if _WITH_AN_ID.match(text) and "RETURNING" not in text:
        text += " RETURNING id"
    return text


def _numbered(statement: str) -> str:
    """Give each question mark its number: `?` counts, `?2` says it. No statement has one in its text."""
    numbers = count(1)
    return re.sub(r"\?(\d*)", lambda found: f"${found[1] or next(numbers)}", statement)


def _of_several_values(text: str) -> str:
    """Say least and greatest where min and max are given several values."""
    parts, at = [], 0
    for found in re.finditer(r"\b(min|max)\(", text):
        if _has_comma(text, found.end()):
            parts += [text[at : found.start()], _SINGLE[found[1]], "("]
            at = found.end()
    return "".join([*parts, text[at:]])


def _has_comma(text: str, start: int) -> bool:
    """Say whether the parenthesis that opened before `start` holds several values."""
    depth = 1
    for letter in text[start:]:
        depth += (letter == "(") - (letter == ")")
        if depth == 0:
            return False
        if depth == 1 and letter == ",":
            return True
    return False


@lru_cache(maxsize=64)
def insert_messages(varies: tuple[bool, ...]) -> str:
    """Write statements.insert_messages for PostgreSQL, which has to be told of which type each value is."""
    places = count()
    values = ", ".join(
        f"CAST({f'value->>{next(places)}' if own else '?'} AS {_TYPES[column]})"
        for column, own in zip(INSERTED_COLUMNS.split(", "), varies, strict=True)
    )
    rows = "json_array_elements(?::json) WITH ORDINALITY AS list(value, key)"
    return f"INSERT INTO message ({INSERTED_COLUMNS}) SELECT {values} FROM {rows} ORDER BY key"  # noqa: S608 -- our own


_DIALECT: Any = postgresql
_TYPES = {column.name: column.type.compile(dialect=_DIALECT.dialect()) for column in message.columns}
