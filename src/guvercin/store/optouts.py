"""The list of people who want no messages, as functions of a connection or a transaction.

Laws
1. A refusal reaches what waits already: rows that it covers fail in its own transaction, so that they are seen to.
2. A refusal is never rewritten: it begins, and it ends. Only what is said again stands under its last time.
3. What counts is when a person wrote it, not when it came: an old message that comes late, or a second time, never
   beats a newer one. So what a message began and ended stands under the message's own time: who wrote DUR, BAŞLA, DUR
   stays refused when the BAŞLA is heard last.
4. Who refuses hears so once, and who comes back hears so once: by a message like any other, the single one that may
   still go after a refusal.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from guvercin.core.errors import Code, GuvercinError
from guvercin.core.event import EventKind
from guvercin.core.message import Draft, News, WaitsFor
from guvercin.core.optout import NewOptOut, OptOut, OptOutScope, OptOutSource, Replies, Verdict, Wish
from guvercin.core.outcome import Inbound
from guvercin.store import wishes
from guvercin.store.accepting import insert
from guvercin.store.hand import by_hand
from guvercin.store.messages import back_in_line, move, standing
from guvercin.store.statements import wishes as sql
from guvercin.store.times import from_ms, to_ms
from guvercin.store.writer import Tx

_RESTORED = frozenset({OptOutScope.EVERYTHING, OptOutScope.COMMERCIAL, OptOutScope.DOUBTFUL})
"""What ends when a person writes that messages may come again; a wrong number stays a wrong one."""


def add(tx: Tx, new: NewOptOut, *, now: datetime) -> OptOut:
    """Keep a refusal and let what it covers fail; answers the one that stands, an older one if it says the same."""
    if wishes.refuse(tx, new, now=now) is not None:
        _stop_waiting(tx, new.phone, now)
    live = [each for each in _live(tx, new.phone) if (each.scope, each.account_id) == (new.scope, new.account_id)]
    return live[0]


def end(
    tx: Tx,
    phone: str,
    *,
    accounts: frozenset[int] | None,
    account_id: int | None,
    scope: OptOutScope | None,
    by: OptOutSource,
    why: str | None = None,
    now: datetime,
) -> int:
    """End a person's refusals: those of these accounts (null: of all), of one account, of one scope; answers how many.

    A refusal that holds for every account is ended only by who sees them all.
    """
    wanted = [
        each
        for each in _live(tx, phone)
        if (accounts is None or each.account_id in accounts)
        and (account_id is None or each.account_id == account_id)
        and (scope is None or each.scope is scope)
    ]
    for each in wanted:
        _end(tx, each, by, now, why)
    if wanted:
        _let_go(tx, phone, now)
    return len(wanted)


def decide(
    tx: Tx, refusal_id: int, scope: OptOutScope | None, *, by: OptOutSource, token_id: int, now: datetime
) -> OptOut | None:
    """Decide what somebody meant: a refusal of this scope, or none. NOT_FOUND for what isn't doubtful (any more)."""
    doubted = one(tx.connection, refusal_id)
    if doubted is None or doubted.ended_at is not None or doubted.scope is not OptOutScope.DOUBTFUL:
        raise GuvercinError(Code.NOT_FOUND)
    _end(tx, doubted, by, now)
    decided = None
    if scope is not None:
        new = NewOptOut(
            account_id=doubted.account_id,
            phone=doubted.phone,
            scope=scope,
            source=by,
            said=doubted.said,
            token_id=token_id,
        )
        decided = add(tx, new, now=now)
    _let_go(tx, doubted.phone, now)
    return decided


def resume_advertising(tx: Tx, account_id: int, phone: str, *, now: datetime) -> None:
    """End what somebody told the network about our advertising; what they wrote to us, or İYS says, stands."""
    for each in _live(tx, phone):
        kept = (each.account_id, each.scope, each.source)
        if kept == (account_id, OptOutScope.COMMERCIAL, OptOutSource.MESSAGE):
            _end(tx, each, OptOutSource.MESSAGE, now)


def hear(tx: Tx, account_id: int, inbound: Inbound, wish: Wish, replies: Replies | None, *, now: datetime) -> bool:
    """Do what somebody's message asks for, in the transaction in which it is heard; says whether it was news."""
    if wish is not Wish.START and _is_outdated(tx, account_id, inbound):
        return False
    if wish in {Wish.STOP, Wish.WRONG_NUMBER} and not inbound.sender.startswith("+"):
        wish = Wish.DOUBTFUL  # nobody knows whose number it is: a person has to look
    match wish:
        case Wish.START:
            _come_back(tx, account_id, inbound, replies, now)
        case Wish.STOP:
            _stop(tx, account_id, inbound, replies, now)
        case Wish.WRONG_NUMBER:
            wrong = _heard(account_id, inbound, OptOutScope.WRONG_NUMBER)
            if wishes.refuse(tx, wrong, now=now, at=inbound.at) is not None:
                _stop_waiting(tx, inbound.sender, now)
        case Wish.DOUBTFUL:
            if not _wants_nothing(tx, account_id, inbound.sender):
                doubtful = _heard(account_id, inbound, OptOutScope.DOUBTFUL)
                wishes.refuse(tx, doubtful, now=now, at=inbound.at)
    return True


def _is_outdated(tx: Tx, account_id: int, inbound: Inbound) -> bool:
    """Say whether a refusal has been heard before, or its writer has come back since they wrote it."""
    at_ms = to_ms(inbound.at)
    return tx.execute(sql.IS_OUTDATED, (inbound.sender, account_id, at_ms)).fetchone() is not None


def _heard(account_id: int, inbound: Inbound, scope: OptOutScope) -> NewOptOut:
    return NewOptOut(
        account_id=account_id,
        phone=inbound.sender,
        scope=scope,
        source=OptOutSource.MESSAGE,
        said=inbound.text,
    )


def _stop(tx: Tx, account_id: int, inbound: Inbound, replies: Replies | None, now: datetime) -> None:
    wanted_nothing = _wants_nothing(tx, account_id, inbound.sender)
    everything = _heard(account_id, inbound, OptOutScope.EVERYTHING)
    refusal_id = wishes.refuse(tx, everything, now=now, at=inbound.at)
    for each in _live(tx, inbound.sender):  # what they meant before is clear now
        if each.scope is OptOutScope.DOUBTFUL and each.account_id == account_id:
            # When they wrote it, not when it was heard: what they wrote since then counts.
            _end(tx, each, OptOutSource.MESSAGE, now, at=max(inbound.at, each.created_at))
    if refusal_id is None:
        at_ms = to_ms(inbound.at)
        tx.execute(sql.SAID_AGAIN, (at_ms, inbound.sender, account_id, at_ms))
        return
    _stop_waiting(tx, inbound.sender, now)
    if replies is not None and not wanted_nothing:
        keeps_notices = tx.execute(sql.KEEPS_NOTICES, (account_id,)).fetchone()[0]
        reply = replies.stopped_but_notices if keeps_notices else replies.stopped
        confirmation_id = _reply(tx, account_id, inbound.sender, reply, now)
        tx.execute(sql.CONFIRM_REFUSAL, (confirmation_id, refusal_id))


def _come_back(tx: Tx, account_id: int, inbound: Inbound, replies: Replies | None, now: datetime) -> None:
    """End what stood in the way of this account's messages, but for what İYS says: that ends at İYS.

    What the person refused after they had written this stands too.
    """
    wanted = [
        each
        for each in _live(tx, inbound.sender)
        if each.account_id in {None, account_id} and each.scope in _RESTORED and each.source is not OptOutSource.IYS
        if each.created_at <= inbound.at
    ]
    for each in wanted:
        _end(tx, each, OptOutSource.MESSAGE, now, at=inbound.at)
    if wanted:
        _let_go(tx, inbound.sender, now)
    is_back = any(each.scope is not OptOutScope.DOUBTFUL for each in wanted)
    if replies is not None and is_back and not _wants_nothing(tx, account_id, inbound.sender):
        _reply(tx, account_id, inbound.sender, replies.started, now)


def _wants_nothing(tx: Tx, account_id: int, phone: str) -> bool:
    live = _live(tx, phone)
    return any(each.scope is OptOutScope.EVERYTHING and each.account_id in {None, account_id} for each in live)


def _reply(tx: Tx, account_id: int, phone: str, reply: Draft, now: datetime) -> int:
    """Put an answer in line; it is booked on whoever wrote to the person last."""
    last = tx.execute(sql.LAST_ASKED_FOR, (account_id, phone)).fetchone() or tx.execute(sql.OLDEST_TOKEN).fetchone()
    draft = replace(reply, account_id=account_id, recipient=phone)
    now_ms = to_ms(now)
    return insert(tx, draft, int(last[0]), now_ms, now_ms, fingerprint=None).id


def _stop_waiting(tx: Tx, phone: str, now: datetime) -> None:
    """Let everything fail that waits for a person and is covered by what they refused."""
    for *columns, category in tx.execute(sql.WAITING_OF, (phone,)).fetchall():
        row = standing(columns)
        stops = wishes.refusal(
            tx.execute,
            account_id=row.account_id,
            recipient=phone,
            category=category,
            is_direct=row.batch_id is None,
            message_id=row.id,
        )
        if stops is Verdict.STOPS:
            move(tx, row, News.REFUSED, to_ms(now), reason=Code.OPTED_OUT)


def _let_go(tx: Tx, phone: str, now: datetime) -> None:
    """Put back in line what waited for a decision about a person. A claim looks again at each."""
    for *columns, _ in tx.execute(sql.WAITING_OF, (phone,)).fetchall():
        row = standing(columns)
        if row.waits_for is WaitsFor.REVIEW:
            back_in_line(tx, row, to_ms(now))


def _end(
    tx: Tx, refusal: OptOut, by: OptOutSource, now: datetime, why: str | None = None, *, at: datetime | None = None
) -> None:
    tx.execute(sql.END_REFUSAL, (to_ms(at or now), by.value, why, refusal.id))
    detail = {"ret_id": refusal.id, "kapsam": refusal.scope.value, "kaynak": by.value}
    tx.record(to_ms(now), EventKind.OPTED_IN, account_id=refusal.account_id, detail=detail)


def _live(tx: Tx, phone: str) -> list[OptOut]:
    return [_opt_out(row) for row in tx.execute(sql.LIVE_REFUSALS_OF, (phone,)).fetchall()]


def _opt_out(row: Sequence[Any]) -> OptOut:
    return OptOut(
        id=row[0],
        account_id=row[1],
        phone=row[2],
        scope=OptOutScope(row[3]),
        source=OptOutSource(row[4]),
        said=row[5],
        token_id=row[6],
        created_at=from_ms(row[7]),
        ended_at=from_ms(row[8]),
        ended_by=None if row[9] is None else OptOutSource(row[9]),
        ended_why=row[10],
    )


# -- reading

_ASKED = f"SELECT {sql.REFUSAL_COLUMNS} FROM opt_out"  # noqa: S608 -- only our own words


def one(connection: Connection, refusal_id: int) -> OptOut | None:
    """Answer one refusal."""
    raw = by_hand(connection)
    row = raw.execute(f"{_ASKED} WHERE id = ?", (refusal_id,)).fetchone()
    return None if row is None else _opt_out(row)


def page(
    connection: Connection,
    accounts: frozenset[int] | None,
    *,
    phone: str | None,
    is_doubtful: bool | None,
    is_live: bool | None,
    limit: int,
    below: int | None,
) -> Sequence[OptOut]:
    """Answer refusals of these accounts (null: of all), newest first, with ids below `below`.

    One that holds for every account is seen by everybody. `is_doubtful` and `is_live` null: both kinds.
    """
    conditions: list[str] = []
    values: list[Any] = []

    def place(value: Any) -> str:
        values.append(value)
        return f"?{len(values)}"

    if phone is not None:
        number = place(phone)
        conditions.append(f"phone IN ({number}, hidden({number}))")
    if accounts is not None:
        listed = ", ".join(map(place, sorted(accounts))) or "NULL"
        conditions.append(f"(account_id IS NULL OR account_id IN ({listed}))")
    if is_doubtful is not None:
        conditions.append(f"scope {'=' if is_doubtful else '<>'} {place(OptOutScope.DOUBTFUL.value)}")
    if is_live is not None:
        conditions.append("ended_at IS NULL" if is_live else "ended_at IS NOT NULL")
    if below is not None:
        conditions.append(f"id < {place(below)}")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = by_hand(connection).execute(f"{_ASKED} {where} ORDER BY id DESC LIMIT {place(limit)}", values)
    return tuple(_opt_out(row) for row in rows.fetchall())


def of_person(connection: Connection, phone: str) -> Sequence[OptOut]:
    """Answer every refusal of a number, ended ones and those that were hidden among them, oldest first."""
    rows = by_hand(connection).execute(f"{_ASKED} WHERE phone IN (?1, hidden(?1)) ORDER BY id", (phone,))
    return tuple(_opt_out(row) for row in rows.fetchall())


def objections(
    connection: Connection, account_id: int, asked: Sequence[tuple[str, int]], *, is_direct: bool
) -> Sequence[Code | None]:
    """Answer for each recipient and category why such a message would not be accepted now."""
    raw = by_hand(connection)
    return tuple(
        wishes.objection(
            raw.execute, account_id=account_id, recipient=recipient, category=category, is_direct=is_direct
        )
        for recipient, category in asked
    )
