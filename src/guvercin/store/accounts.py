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
from guvercin.store import statements as sql
from guvercin.store.tables import account, message
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


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        kind=Kind(row.kind),
        phone=row.phone,
        is_default=row.is_default,
        is_enabled=row.is_enabled,
        pace=unpack_pace(row.pace, row.kind),
        on_unknown=OnUnknown(row.on_unknown),
        line=Line(
            state=LineState(row.line_state),
            since=from_ms(row.line_since),
            code=None if row.line_code is None else Code(row.line_code),
            until=from_ms(row.line_until),
            connected_at=from_ms(row.connected_at),
        ),
        created_at=from_ms(row.created_at),
        removed_at=from_ms(row.removed_at),
        manners=Manners(
            keeps_notices=row.keeps_notices,
            sender_title=row.sender_title,
            repeat_guard=None if row.repeat_guard is None else row.repeat_guard * MILLISECOND,
        ),
    )


_EVERY = select(account).order_by(account.c.id)
"""Made once: the lines ask this every second, and putting it together costs more than its answer."""


def every(connection: Connection) -> Sequence[Account]:
    """Answer all accounts, removed ones among them, by id."""
    return tuple(_account(row) for row in connection.execute(_EVERY))


def one(connection: Connection, account_id: int) -> Account:
    """Answer an account; NOT_FOUND."""
    row = connection.execute(
        select(account).where(account.c.id == account_id, account.c.removed_at.is_(None)),
    ).one_or_none()
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
    tx.execute(sql.COOL_DOWN, (RELINKED_AT if before in {None, phone} else 0, account_id))
    _changed(tx, account_id, to_ms(now), {"ne": "baglandi"})
    return before not in {None, phone}


def set_line(tx: Tx, account_id: int, line: Line, *, now: datetime, is_enabled: bool | None) -> None:
    """Write what was last heard of a line."""
    values: dict[str, Any] = {
        "line_state": line.state.value,
        "line_since": to_ms(line.since),
        "line_code": line.code and line.code.value,
        "line_until": to_ms(line.until),
        "connected_at": to_ms(line.connected_at),
    }
    if is_enabled is not None:
        values["is_enabled"] = is_enabled
        if tx.actor is not None:
            what = {"acik": is_enabled}
            auditing.note(tx, Act.LINE_ORDERED, now=now, about=f"hesap:{account_id}", detail=what)
    is_new_ban = line.state is LineState.BANNED and one(tx.connection, account_id).line.state is not LineState.BANNED
    if is_new_ban and restricting.keeps_rules(tx, account_id):
        code = line.code or Code.TEMPORARY_BAN
        restricting.banned(tx, account_id, code=code, now=now, until=line.until)
    tx.connection.execute(update(account).where(account.c.id == account_id).values(**values))
    detail = {"durum": line.state.value} | ({"kod": line.code.value} if line.code else {})
    tx.record(to_ms(now), EventKind.LINE_CHANGED, account_id=account_id, detail=detail)
    tx.lines.append(account_id)


def use(connection: Connection, account_id: int) -> Use:
    """Answer what an account has used of its pace."""
    row = connection.execute(
        select(account.c.last_claim_at, account.c.draw).where(account.c.id == account_id),
    ).one()
    return Use(from_ms(row.last_claim_at), row.draw)


def _changed(tx: Tx, account_id: int, now_ms: int, detail: dict[str, str]) -> None:
    tx.record(now_ms, EventKind.ACCOUNT_CHANGED, account_id=account_id, detail=detail)
    tx.lines.append(account_id)
