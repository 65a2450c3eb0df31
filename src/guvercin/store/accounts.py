"""Accounts and their lines, as functions of a connection or a transaction."""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, text, update

from guvercin.core.account import Account, Kind, Line, LineState, Manners, OnUnknown
from guvercin.core.audit import Act
from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Lane
from guvercin.core.pacing import RELINKED_AT, Caps, Gap, Pace, Rules, Use
from guvercin.store import auditing, restricting
from guvercin.store.hand import by_hand
from guvercin.store.statements.pacing import COOL_DOWN
from guvercin.store.tables.accounts import account
from guvercin.store.tables.messages import message
from guvercin.store.times import MILLISECOND, from_ms, to_ms
from guvercin.store.writer import Tx


def pack_pace(pace: Pace) -> str:
    """Write a pace as JSON: seconds, least and most, by lane; and its rules as their fields are called."""
    packed: dict[str, Any] = {"gaps": {lane.value: _pack(gap) for lane, gap in pace.gaps.items()}}
    if pace.rules is not None:
        packed["rules"] = {field.name: _pack(getattr(pace.rules, field.name)) for field in fields(pace.rules)}
    return orjson.dumps(packed).decode()


def _pack(value: Any) -> Any:
    match value:
        case Gap():
            return [value.least.total_seconds(), value.most.total_seconds()]
        case Caps():
            return {"all": value.all, "existing": value.existing, "new": value.new}
        case timedelta():
            return {"seconds": value.total_seconds()}
        case _:
            return value


def _unpack(value: Any) -> Any:
    match value:
        case [least, most]:
            return Gap(least=timedelta(seconds=least), most=timedelta(seconds=most))
        case {"all": _}:
            return Caps(**value)
        case {"seconds": seconds}:
            return timedelta(seconds=seconds)
        case _:
            return value


@lru_cache(maxsize=256)
def unpack_pace(text: str, kind: str) -> Pace:
    """Read what `pack_pace` wrote. Remembered: the lines ask every second, and a pace seldom changes.

    A linked phone never goes without rules, not even one whose pace was written before there were any.
    """
    packed = orjson.loads(text)
    gaps = {Lane(lane): _unpack(gap) for lane, gap in packed["gaps"].items()}
    rules = packed.get("rules")
    if rules is None:
        return Pace(gaps=MappingProxyType(gaps), rules=Rules() if kind == Kind.WEB.value else None)
    return Pace(gaps=MappingProxyType(gaps), rules=Rules(**{name: _unpack(value) for name, value in rules.items()}))


_COLUMNS = (
    "id, name, kind, phone, is_default, is_enabled, pace, on_unknown, line_state, line_since, line_code, line_until, "
    "connected_at, created_at, removed_at, keeps_notices, sender_title, repeat_guard"
)

_EVERY = f"SELECT {_COLUMNS} FROM account ORDER BY id"  # noqa: S608 -- our own words

_ONE = f"SELECT {_COLUMNS} FROM account WHERE id = ? AND removed_at IS NULL"  # noqa: S608 -- our own words


@lru_cache(maxsize=256)
def _account(row: tuple[Any, ...]) -> Account:
    """Read _COLUMNS. Remembered: the lines ask every second, and an account seldom changes."""
    return Account(
        id=row[0],
        name=row[1],
        kind=Kind(row[2]),
        phone=row[3],
        is_default=bool(row[4]),
        is_enabled=bool(row[5]),
        pace=unpack_pace(row[6], row[2]),
        on_unknown=OnUnknown(row[7]),
        line=Line(
            state=LineState(row[8]),
            since=from_ms(row[9]),
            code=None if row[10] is None else Code(row[10]),
            until=from_ms(row[11]),
            connected_at=from_ms(row[12]),
        ),
        created_at=from_ms(row[13]),
        removed_at=from_ms(row[14]),
        manners=Manners(
            keeps_notices=bool(row[15]),
            sender_title=row[16],
            repeat_guard=None if row[17] is None else row[17] * MILLISECOND,
        ),
    )


def every(connection: Connection) -> Sequence[Account]:
    """Answer all accounts, removed ones among them, by id."""
    raw = by_hand(connection)
    return tuple(map(_account, raw.execute(_EVERY).fetchall()))


def one(connection: Connection, account_id: int) -> Account:
    """Answer an account; NOT_FOUND."""
    raw = by_hand(connection)
    row = raw.execute(_ONE, (account_id,)).fetchone()
    if row is None:
        raise GuvercinError(Code.NOT_FOUND)
    return _account(row)


def add(tx: Tx, name: str, kind: Kind, phone: str | None, pace: Pace, *, now: datetime) -> Account:
    """Add an account, wanted and connecting."""
    now_ms = to_ms(now)
    account_id = tx.connection.execute(
        insert(account)
        .values(
            name=name,
            kind=kind.value,
            phone=phone,
            is_default=False,
            is_enabled=True,
            pace=pack_pace(pace),
            on_unknown=OnUnknown.HOLD.value,
            line_state=LineState.CONNECTING.value,
            line_since=now_ms,
            created_at=now_ms,
        )
        .returning(account.c.id),
    ).scalar_one()
    _changed(tx, account_id, now_ms, {"ne": "eklendi"})
    return one(tx.connection, account_id)


def change(
    tx: Tx, account_id: int, *, now: datetime, name: str | None, pace: Pace | None, on_unknown: OnUnknown | None
) -> Account:
    """Change what the owner decides; NOT_FOUND."""
    before = one(tx.connection, account_id)
    after = replace(
        before, name=name or before.name, pace=pace or before.pace, on_unknown=on_unknown or before.on_unknown
    )
    tx.connection.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(name=after.name, pace=pack_pace(after.pace), on_unknown=after.on_unknown.value),
    )
    _changed(tx, account_id, to_ms(now), {"ne": "degistirildi"})
    return after


def set_manners(tx: Tx, account_id: int, manners: Manners, *, now: datetime) -> Account:
    """Change how people are treated; NOT_FOUND."""
    before = one(tx.connection, account_id)
    guard = manners.repeat_guard
    tx.connection.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(
            keeps_notices=manners.keeps_notices,
            sender_title=manners.sender_title,
            repeat_guard=None if guard is None else guard // MILLISECOND,
        ),
    )
    _changed(tx, account_id, to_ms(now), {"ne": "degistirildi"})
    return replace(before, manners=manners)


def remove(tx: Tx, account_id: int, *, now: datetime) -> None:
    """Remove an account with no unfinished rows; NOT_FOUND, MESSAGES_WAITING. Its log stays."""
    one(tx.connection, account_id)
    # Two questions, each answered by an index of unfinished rows: the log may be long.
    of_account = select(message.c.id).where(message.c.account_id == account_id).limit(1)
    for unfinished in ("status = 'queued'", "status IN ('sending', 'unknown')"):
        if tx.connection.execute(of_account.where(text(unfinished))).first() is not None:
            raise GuvercinError(Code.MESSAGES_WAITING)
    now_ms = to_ms(now)
    tx.connection.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(
            removed_at=now_ms,
            is_default=False,
            is_enabled=False,
            line_state=LineState.STOPPED.value,
            line_since=now_ms,
        ),
    )
    _changed(tx, account_id, now_ms, {"ne": "kaldirildi"})


def set_default(tx: Tx, account_id: int, *, now: datetime) -> Account:
    """Make an account the default, and no other; NOT_FOUND."""
    one(tx.connection, account_id)
    tx.connection.execute(update(account).where(account.c.is_default).values(is_default=False))
    tx.connection.execute(update(account).where(account.c.id == account_id).values(is_default=True))
    _changed(tx, account_id, to_ms(now), {"ne": "varsayilan"})
    return one(tx.connection, account_id)


def link(tx: Tx, account_id: int, phone: str, *, now: datetime) -> bool:
    """Write which number an account is; answers whether it was another before. NOT_FOUND."""
    before = one(tx.connection, account_id).phone
    if before != phone:
        tx.connection.execute(update(account).where(account.c.id == account_id).values(phone=phone))
    # A line that is linked anew warms up again: by much if it is the same number, wholly if it is another.
    tx.execute(COOL_DOWN, (RELINKED_AT if before in {None, phone} else 0, account_id))
    _changed(tx, account_id, to_ms(now), {"ne": "baglandi"})
    return before not in {None, phone}


_HEARD = (
    "UPDATE account SET line_state = ?, line_since = ?, line_code = ?, line_until = ?, connected_at = ?, "
    "is_enabled = coalesce(?, is_enabled) WHERE id = ?"
)


def set_line(tx: Tx, account_id: int, line: Line, *, now: datetime, is_enabled: bool | None) -> None:
    """Write what was last heard of a line."""
    if is_enabled is not None and tx.actor is not None:
        auditing.note(tx, Act.LINE_ORDERED, now=now, about=f"hesap:{account_id}", detail={"acik": is_enabled})
    is_new_ban = line.state is LineState.BANNED and one(tx.connection, account_id).line.state is not LineState.BANNED
    if is_new_ban and restricting.keeps_rules(tx, account_id):
        restricting.banned(tx, account_id, code=line.code or Code.TEMPORARY_BAN, now=now, until=line.until)
    code = line.code and line.code.value
    heard = (line.state.value, to_ms(line.since), code, to_ms(line.until), to_ms(line.connected_at))
    tx.execute(_HEARD, (*heard, is_enabled, account_id))
    detail = {"durum": line.state.value} | ({"kod": line.code.value} if line.code else {})
    tx.record(to_ms(now), EventKind.LINE_CHANGED, account_id=account_id, detail=detail)
    tx.lines.append(account_id)


def use(connection: Connection, account_id: int) -> Use:
    """Answer what an account has used of its pace."""
    raw = by_hand(connection)
    last_ms, draw = raw.execute("SELECT last_claim_at, draw FROM account WHERE id = ?", (account_id,)).fetchone()
    return Use(from_ms(last_ms), draw)


def _changed(tx: Tx, account_id: int, now_ms: int, detail: dict[str, str]) -> None:
    tx.record(now_ms, EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=detail)
    tx.lines.append(account_id)
