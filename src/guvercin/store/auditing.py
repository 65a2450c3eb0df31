"""The audit as functions of a connection or a transaction. Its chain is explained in core/audit.py."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection

from guvercin.core.audit import ALL, FIRST, Act, Actor, Chain, Entry, Sought, Way, hash_of
from guvercin.store.hand import Hand, by_hand
from guvercin.store.times import from_ms, to_ms

if TYPE_CHECKING:  # the transaction itself writes by this file
    from guvercin.store.writer import Tx

_COLUMNS = "id, at, what, about, way, token_id, address, detail"
_LAST = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"
_GIVEN_OUT = "SELECT given_out FROM audit_end"
_GIVE_OUT = (
    "INSERT INTO audit_end (id, given_out) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET given_out = excluded.given_out"
)
_INSERT = f"INSERT INTO audit ({_COLUMNS}, before, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 -- our own
_NEXT = f"SELECT {_COLUMNS}, before, hash FROM audit WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 -- our own columns
_AT_ONCE = 1_000


def note(
    tx: "Tx", act: Act | str, *, now: datetime, about: str | None = None, detail: Mapping[str, Any] | None = None
) -> None:
    """Write that whoever is at work has done something."""
    write(tx, str(act), to_ms(now), about=about, detail=detail)


def write(
    tx: "Tx",
    what: str,
    at: int,
    *,
    about: str | None,
    detail: Mapping[str, Any] | None,
    actor: Actor | None = None,
) -> None:
    """Write one entry behind the newest one (`at` in milliseconds); `actor` null: of whoever is at work."""
    last = tx.execute(_LAST).fetchone()
    given_out = tx.execute(_GIVEN_OUT).fetchone()
    before = FIRST if last is None else bytes(last[1])
    actor = actor or tx.actor
    values = (
        1 + (0 if given_out is None else int(given_out[0])),
        at,
        what,
        about,
        (actor.way if actor else Way.ITSELF).value,
        actor.token_id if actor else None,
        actor.address if actor else None,
        orjson.dumps(detail).decode() if detail else None,
    )
    tx.execute(_INSERT, (*values, before, hash_of(before, values)))
    tx.execute(_GIVE_OUT, (values[0],))


def page(connection: Connection, *, limit: int, below: int | None, sought: Sought = ALL) -> Sequence[Entry]:
    """Answer entries, newest first, with ids below `below`."""
    wanted = [
        ("a.id < ?", below),
        ("a.token_id = ?", sought.token_id),
        ("a.at >= ?", to_ms(sought.since)),
        ("a.at < ?", to_ms(sought.until)),
        ("a.way = ?", Way.ITSELF.value if sought.is_nobodys else None),
    ]
    asked = [(words, value) for words, value in wanted if value is not None]
    where = f"WHERE {' AND '.join(words for words, _ in asked)}" if asked else ""
    columns = ", ".join(f"a.{name}" for name in _COLUMNS.split(", "))
    rows = by_hand(connection).execute(
        f"SELECT {columns}, t.rules FROM audit a "  # noqa: S608 -- our own columns
        f"LEFT JOIN token t ON t.id = a.token_id {where} ORDER BY a.id DESC LIMIT ?",
        (*(value for _, value in asked), limit),
    )
    return tuple(_entry(row) for row in rows.fetchall())


def actors(connection: Connection) -> Mapping[int, str]:
    """Answer whoever stands in the audit, by token, with the name that the token has."""
    rows = by_hand(connection).execute(
        "SELECT t.id, t.rules FROM token t WHERE EXISTS (SELECT 1 FROM audit a WHERE a.token_id = t.id) ORDER BY t.id"
    )
    return {row[0]: orjson.loads(row[1])["name"] for row in rows.fetchall()}


def chain(connection: Connection, *, at_most: int | None) -> Chain | None:
    """Answer what a look at the whole chain finds; null: it has more than `at_most` entries, and nobody looked."""
    if at_most is not None and by_hand(connection).execute("SELECT count(*) FROM audit").fetchone()[0] > at_most:
        return None
    return verify(connection)


def _entry(row: Sequence[Any]) -> Entry:
    return Entry(
        id=row[0],
        at=from_ms(row[1]),
        what=row[2],
        about=row[3],
        way=Way(row[4]),
        token_id=row[5],
        address=row[6],
        detail=MappingProxyType(orjson.loads(row[7]) if row[7] else {}),
        who=None if row[8] is None else orjson.loads(row[8])["name"],
    )


def verify(connection: Connection) -> Chain:
    """Go through the whole chain; answers the first entry that doesn't fit, if there is one."""
    hand = by_hand(connection)
    count, last_id, head = 0, 0, FIRST
    begins_at = 1
    shortened: set[int] = set()
    for *values, before, found in _rows(hand):
        if count == 0:
            begins_at = last_id = int(values[0])
            head = FIRST if begins_at == 1 else bytes(before)
        elif values[0] != last_id + 1:
            return Chain(count=count, head=head.hex(), broken_at=last_id + 1)
        if bytes(before) != head or bytes(found) != hash_of(head, tuple(values)):
            return Chain(count=count, head=head.hex(), broken_at=int(values[0]))
        if values[2] == Act.SHORTENED.value:
            shortened.add(int(orjson.loads(values[7])["son"]))
        count, last_id, head = count + 1, int(values[0]), bytes(found)
    given_out = hand.execute(_GIVEN_OUT).fetchone()
    if last_id != (0 if given_out is None else int(given_out[0])):
        return Chain(count=count, head=head.hex() if count else None, broken_at=last_id + 1)
    if begins_at > 1 and begins_at - 1 not in shortened:
        return Chain(count=count, head=head.hex(), broken_at=begins_at - 1)
    return Chain(count=count, head=head.hex() if count else None)


def _rows(hand: Hand) -> Iterator[Sequence[Any]]:
    above = 0
    while some := hand.execute(_NEXT, (above, _AT_ONCE)).fetchall():
        yield from some
        above = some[-1][0]


def shorten(tx: "Tx", *, before: datetime, now: datetime, limit: int) -> int:
    """Drop the oldest entries that are older than a moment, and say in the chain where it begins from then on."""
    row = tx.execute(
        "SELECT max(id), count(*) FROM (SELECT id FROM audit WHERE at < ?1 "
        "AND id < (SELECT coalesce(min(id), 0) FROM audit WHERE at >= ?1) ORDER BY id LIMIT ?2) oldest",
        (to_ms(before), limit),
    ).fetchone()
    if not row[1]:
        return 0
    tx.execute("DELETE FROM audit WHERE id <= ?", (row[0],))
    note(tx, Act.SHORTENED, now=now, detail={"son": row[0], "adet": row[1]})
    return int(row[1])
