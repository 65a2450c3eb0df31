"""The tables, once for both databases. Times are integers: milliseconds since 1970 in UTC.

The message table is the queue: order, priority, schedule, cancel, status and audit are the same row. The rules that
must never break stand here again as constraints, beneath the code that keeps them; lists of words that still grow
(kinds, lanes, what a row waits for) do not, since SQLite would have to copy the whole table to learn a new word.

They stand by subject. Whoever imports one has all of them: a database is made of the whole.
"""

from guvercin.store.tables import (  # noqa: F401 -- each declares its tables
    access,
    accounts,
    alerts,
    categories,
    hearing,
    hooks,
    house,
    messages,
    nodes,
    pacing,
    people,
    rights,
    tally,
    uploads,
    wishes,
)
from guvercin.store.tables.ground import metadata

__all__ = ["metadata"]

for _table in metadata.tables.values():  # a partial index is partial in both
    for _index in _table.indexes:
        _index.dialect_options["postgresql"]["where"] = _index.dialect_options["sqlite"]["where"]
