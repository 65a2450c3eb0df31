"""What the rules of an account ask of its rows, as functions of a transaction. Accounts without rules never come here.

A row that may not go is parked: it leaves the line with the first moment at which it may go, and its lifetime grows by
the time that it was not allowed to use. What a claim spends is written in the claim's own transaction.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import orjson

from guvercin.core.course import NEVER, Ask, Closed, Course, Go, Park, Verdict, Wait
from guvercin.core.errors import Code
from guvercin.core.hours import Hours
from guvercin.core.message import Courtesy, Lane, Message, Track, WaitsFor
from guvercin.core.pacing import KNOWN_FOR, MONTH, REFUSED_FOR
from guvercin.core.restriction import Restriction, RestrictionKind
from guvercin.store.messages import back_in_line, standing
from guvercin.store.statements import pacing as sql
from guvercin.store.statements.messages import STANDING
from guvercin.store.times import DAY, from_ms, to_ms
from guvercin.store.verbs.pacing import Ledger, Waiting
from guvercin.store.writer import Tx

_MINUTE = 60_000
_KNOWN_FOR = KNOWN_FOR // timedelta(milliseconds=1)
_REFUSED_FOR = REFUSED_FOR // timedelta(milliseconds=1)
_MONTH = MONTH // timedelta(milliseconds=1)
_MOST_UNANSWERED = 12
"""Moments that a chat remembers: more than any rule counts."""

_LANES = {lane.value: lane for lane in Lane}
_TRACKS = {track.value: track for track in Track}
_COURTESIES: dict[str | None, Courtesy | None] = {None: None} | {word.value: word for word in Courtesy}


def _kind(*, known: str, lately: str, lane: str, declared: str, number: str, account: str) -> str:
    """Write the question what somebody is to an account: `_track` for many at once."""
    return (
        f"CASE WHEN h.at > {known} THEN CASE {lane} WHEN 'single' THEN 'tekli' ELSE 'tanidik' END "
        f"WHEN ({declared} OR ({sql.is_old_customer(number, account)})) "
        f"AND NOT coalesce({sql.refused_at(number, account)} > {lately}, false) "
        f"THEN CASE {lane} WHEN 'single' THEN 'tekli' ELSE 'mevcut' END ELSE 'yeni' END"
    )


_BACKLOG = (
    "SELECT turn, lane, priority, courtesy, kind, count(*), max(starts) "  # noqa: S608 -- our own words
    "FROM (SELECT coalesce(m.batch_id, -m.token_id) "
    "AS turn, m.lane AS lane, m.priority AS priority, m.courtesy AS courtesy, coalesce(m.track, "
    + _kind(
        known="?2", lately="?3", lane="m.lane", declared="b.declared_at IS NOT NULL", number="m.recipient", account="?1"
    )
    + ") AS kind, CASE WHEN m.waits_for = 'zaman' THEN m.waits_until END AS starts FROM message m "
    "LEFT JOIN batch b ON b.id = m.batch_id "
    "LEFT JOIN last_inbound h ON h.account_id = ?1 AND h.sender = m.recipient "
    "WHERE m.account_id = ?1 AND m.status = 'queued' AND coalesce(m.waits_for, '') "
    "NOT IN ('toplu_durduruldu', 'geri_yuklendi', 'numara_degisti')) w GROUP BY turn, lane, priority, courtesy, kind"
)
"""What waits in an account, counted by how its rules see it: for forecasts."""

_KINDS = (
    "SELECT kind, count(*) FROM (SELECT "  # noqa: S608 -- our own words
    + _kind(known="?2", lately="?3", lane="'bulk'", declared="?4", number="j.value", account="?1")
    + " AS kind FROM json_each(?5) j LEFT JOIN last_inbound h ON h.account_id = ?1 AND h.sender = j.value) w "
    "GROUP BY kind"
)
"""What the people of a list are to an account: for the forecast of a bulk that isn't made yet."""


# -- judging


def refreshed(tx: Tx, account_id: int, course: Course, steady: int) -> Course:
    """Answer a course that may be changed, with what others have written of it since: what is closed, how warm."""
    fork = course.fork()
    has_plans = fork.ahead.cursors or fork.again.cursors
    if has_plans and fork.ahead.is_over(steady) and fork.again.is_over(steady):
        fork.forget_plans()
        fork.turns = frozenset()
    fork.closed = closed(tx, account_id)
    row = tx.execute(sql.WARM_DAYS, (_today(steady + course.offset), account_id)).fetchone()
    fork.warm_days = 0 if row is None else int(row[0])
    return fork


def _today(now_ms: int) -> int:
    return now_ms - now_ms % DAY


def closed(tx: Tx, account_id: int) -> Closed:
    """Answer what WhatsApp has closed for an account."""
    until = {row[0]: NEVER if row[3] is None else row[3] for row in tx.execute(sql.RESTRICTIONS, (account_id,))}
    return Closed(
        new_until=max(until.get(RestrictionKind.NEW.value, 0), until.get(RestrictionKind.MONTH.value, 0)),
        slowed_until=until.get(RestrictionKind.SLOWED.value, 0),
        warned_until=until.get(RestrictionKind.WARNED.value, 0),
        backs_off_until=until.get(RestrictionKind.BACKS_OFF.value, 0),
    )


def restrictions(tx: Tx, account_id: int) -> Sequence[Restriction]:
    """Answer what WhatsApp has closed for an account, in words."""
    return tuple(
        Restriction(kind=RestrictionKind(kind), code=Code(code), since=from_ms(since), until=from_ms(until), step=step)
        for kind, code, since, until, step in tx.execute(sql.RESTRICTIONS, (account_id,))
    )


def judged(
    tx: Tx, message_id: int, lane: Lane, course: Course, steady: int, *, keeps_gaps: bool
) -> tuple[Verdict, Ask]:
    """Answer whether a row may leave, and how its course sees it."""
    row = tx.execute(sql.TO_JUDGE, (message_id,)).fetchone()
    track, courtesy, is_head, _, turn, declared_at, heard_at, last_at, unanswered, is_old, refused_at = row
    wall = steady + course.offset
    is_refused = refused_at is not None and refused_at > wall - _REFUSED_FOR
    is_customer = bool(declared_at or is_old) and not is_refused
    ask = Ask(
        lane=lane,
        track=_TRACKS[track] if track == Track.SINGLE.value else _track(lane, wall, heard_at, is_customer=is_customer),
        turn=turn,
        courtesy=_COURTESIES[courtesy],
        is_head=bool(is_head),
        is_back=lane is Lane.BULK and track is not None,
        unanswered=() if unanswered is None else _others(unanswered, message_id),
        last_at=last_at,
    )
    if keeps_gaps:
        return course.judge(ask, steady), ask
    parked = course.first_moment(ask, steady)
    return (parked if parked.until > steady else Go()), ask


def in_order(tx: Tx, message_id: int, verdict: Verdict, course: Course, steady: int) -> Verdict:
    """Answer a verdict that keeps the order of one recipient's messages: none goes while an earlier one is parked.

    Those of another category do: an invoice doesn't wait until morning behind an offer.
    """
    until_ms = None if isinstance(verdict, Wait) else tx.execute(sql.PARKED_BEFORE, (message_id,)).fetchone()[0]
    if until_ms is None:
        return verdict
    until = until_ms - course.offset
    is_later = until > (verdict.until if isinstance(verdict, Park) else steady)
    return Park(WaitsFor.RECIPIENT, until) if is_later else verdict


def _track(lane: Lane, wall: int, heard_at: int | None, *, is_customer: bool) -> Track:
    is_known = heard_at is not None and heard_at > wall - _KNOWN_FOR
    if lane is Lane.SINGLE:
        return Track.SINGLE if is_known or is_customer else Track.NEW
    if is_known:
        return Track.KNOWN
    return Track.EXISTING if is_customer else Track.NEW


def _others(unanswered: str, message_id: int) -> Sequence[int]:
    """Answer when a recipient was written to and didn't answer: a second try of the same row is no second message."""
    return [at for id_, at in orjson.loads(unanswered) if id_ != message_id]


# -- parking and coming back


def park(tx: Tx, message_id: int, ask: Ask, parked: Park, *, course: Course, now_ms: int) -> None:
    """Take a row out of line until its moment; its lifetime stands still meanwhile."""
    expires_ms, owns_lifetime = tx.execute(sql.LIFETIME, (message_id,)).fetchone()
    until_ms = parked.until + course.offset
    if not owns_lifetime:
        expires_ms = _moved(expires_ms, now_ms, until_ms, _hours(course, ask.courtesy))
    tx.execute(sql.PARK_PACED, (parked.word.value, until_ms, ask.track.value, expires_ms, message_id))
    if ask.lane is Lane.SINGLE:  # somebody may wait for it
        tx.standings.append(standing(tx.execute(STANDING, (message_id,)).fetchone()))


def _moved(expires_ms: int, from_: int, to: int, hours: Hours | None) -> int:
    """Answer the end of a lifetime whose rest runs from `to` on in place of `from_`."""
    if hours is None:
        return expires_ms + to - from_
    rest = hours.between(from_ms(min(from_, expires_ms)), from_ms(expires_ms))
    return to_ms(hours.after(from_ms(to), rest))


def release_due(tx: Tx, account_id: int, now_ms: int) -> int:
    """Put rows whose moment has come back in line; answers how many."""
    rows = tx.execute(sql.PACED_DUE, (account_id, now_ms)).fetchall()
    for row in rows:
        back_in_line(tx, standing(row), now_ms)
    return len(rows)


def judge_again(tx: Tx, account_id: int, course: Course, *, now: datetime, limit: int) -> int:
    """Put rows that are parked for later back in line, with the lifetimes that they have left."""
    now_ms = to_ms(now)
    rows = tx.execute(sql.PACED, (account_id, now_ms, limit)).fetchall()
    for row in rows:
        until_ms, expires_ms, owns_lifetime, courtesy = row[7:]
        if not owns_lifetime:
            expires_ms = _moved(expires_ms, until_ms, now_ms, _hours(course, _COURTESIES[courtesy]))
        tx.execute(sql.FORGET_PLAN, (expires_ms, row[0]))
        back_in_line(tx, standing(row), now_ms)
    return len(rows)


def _hours(course: Course, courtesy: Courtesy | None) -> Hours | None:
    return course.hours[courtesy] if courtesy is not None and course.rules.keeps_quiet else None


# -- spending


def spend(tx: Tx, row: Message, ask: Ask, *, course: Course, now_ms: int) -> None:
    """Write what a claim has used: its course has counted it already."""
    steady = course.last_at or 0
    tx.execute(sql.COUNT_SEND, (row.account_id, steady // _MINUTE, ask.track.value))
    keep_state(tx, row.account_id, course, steady=steady, now_ms=now_ms)
    kept = [[row.id, steady]]
    chat = tx.execute(sql.UNANSWERED, (row.account_id, row.recipient)).fetchone()
    if chat is not None:
        kept = [*(pair for pair in orjson.loads(chat[0]) if pair[0] != row.id), *kept][-_MOST_UNANSWERED:]
    tx.execute(sql.KEEP_CHAT, (row.account_id, row.recipient, steady, orjson.dumps(kept).decode()))
    if row.track is not ask.track:
        tx.execute(sql.SET_TRACK, (ask.track.value, row.id))


def keep_state(tx: Tx, account_id: int, course: Course, *, steady: int, now_ms: int) -> None:
    """Write where an account stands in its course, and which moment of the wall its own time is tied to."""
    tx.execute(
        sql.KEEP_STATE,
        (
            account_id,
            steady,
            now_ms,
            course.last_at,
            course.draw,
            course.bulk_run,
            course.rests_until,
            course.new_until,
            orjson.dumps(course.head_starts).decode(),
        ),
    )


def ledger(tx: Tx, account_id: int, *, now: datetime) -> Ledger:
    """Answer everything that an account's course begins from."""
    now_ms = to_ms(now)
    state = tx.execute(sql.PACE_STATE, (_today(now_ms), account_id)).fetchone()
    steady_ms = now_ms if state is None else state[0] + max(0, now_ms - state[1])
    uses = tx.execute(sql.PACE_USES, (account_id, (steady_ms - _MONTH) // _MINUTE - 1)).fetchall()
    plans = tx.execute(sql.PLANS, (account_id, now_ms)).fetchall()
    return Ledger(
        steady_ms=steady_ms,
        last_ms=None if state is None else state[2],
        draw=0.0 if state is None else state[3],
        bulk_run=0 if state is None else state[4],
        rests_until=0 if state is None else state[5],
        new_until=0 if state is None else state[6],
        head_starts=() if state is None else tuple(orjson.loads(state[7])),
        warm_days=0 if state is None else state[8],
        uses=tuple((_TRACKS[track], minute * _MINUTE + _MINUTE - 1, sends) for track, minute, sends in uses),
        plans=tuple(
            (_TRACKS[track or "mevcut"], _COURTESIES[courtesy], WaitsFor(word), until, turn)
            for track, courtesy, word, until, turn in plans
        ),
        closed=closed(tx, account_id),
    )


def backlog(tx: Tx, account_id: int, *, now: datetime) -> Sequence[Waiting]:
    """Answer what waits in an account, counted by how its rules see it."""
    rows = tx.execute(_BACKLOG, (account_id, to_ms(now) - _KNOWN_FOR, to_ms(now) - _REFUSED_FOR)).fetchall()
    return tuple(
        Waiting(
            turn=turn,
            lane=_LANES[lane],
            priority=priority,
            courtesy=_COURTESIES[courtesy],
            track=_TRACKS[kind],
            count=count,
            starts_at=from_ms(starts_ms),
        )
        for turn, lane, priority, courtesy, kind, count, starts_ms in rows
    )


def tracks_of(
    tx: Tx, account_id: int, numbers: Sequence[str], *, is_of_customers: bool, now: datetime
) -> Mapping[Track, int]:
    """Answer what the people of a list are to an account."""
    listed = orjson.dumps(list(numbers)).decode()
    now_ms = to_ms(now)
    values = (account_id, now_ms - _KNOWN_FOR, now_ms - _REFUSED_FOR, is_of_customers, listed)
    rows = tx.execute(_KINDS, values).fetchall()
    return {_TRACKS[kind]: count for kind, count in rows}
