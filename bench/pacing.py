"""What the rules of an account cost: a claim under them, whatever was sent before, and the forecast of a long list."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from time import thread_time
from zoneinfo import ZoneInfo

from bench.claiming import folder
from bench.figures import Figure, micro, middle, milli, spread
from bench.server import CLOCK
from guvercin.core.course import Ask, Course
from guvercin.core.forecast import Crowd, look_ahead
from guvercin.core.message import Content, Courtesy, Draft, Lane, Track
from guvercin.core.pacing import WARM_AFTER, Rules
from guvercin.core.presets import WEB_PACE
from guvercin.gateway.courses import begin, hours_in
from guvercin.store import accepting, claiming, pacing
from guvercin.store.verbs.accepting import BatchAsk
from guvercin.store.verbs.claiming import FIRST_TURN, Turn
from guvercin.store.writer import Tx

_LIST = 10_000
_CLAIMS = 200
_ROUNDS = 3
_DAYS, _HISTORY = 2_000, 60_000
"""Sends behind a course: enough to fill every window, and forty days of them."""

_JUDGEMENTS = 2_000
_HOURS = hours_in(ZoneInfo("Europe/Istanbul"))
_RULES = WEB_PACE.rules or Rules()


async def paced() -> list[Figure]:
    """Time claims with and without rules, and the forecast of 10,000 people: CPU of this process, nothing committed."""
    with folder() as tx:
        _fill(tx)
        plain: list[float] = []
        ruled: list[float] = []
        for _ in range(_ROUNDS):
            plain.append(_claims(tx, lambda: Turn(after=FIRST_TURN)))
            ruled.append(_claims(tx, _turn))
        _remember(tx)
        steps = [_forecast(tx) for _ in range(_ROUNDS)]
    few, many = _judgements(_DAYS), _judgements(_HISTORY)
    ledger, backlog, ahead = (middle(each) for each in zip(*steps, strict=True))
    return [
        Figure(name="a claim without rules", value=f"{micro(middle(plain))}  [{spread(plain)}]"),
        Figure(name="a claim with rules", value=f"{micro(middle(ruled))}  [{spread(ruled)}]"),
        Figure(name="with rules, against none", value=f"× {middle(ruled) / middle(plain):.2f}"),
        Figure(
            name="judging a row with 2,000 and with 60,000 sends behind it",
            value=f"{micro(few)}, {micro(many)}: × {many / few:.2f}",
            wanted="about × 1",
        ),
        Figure(
            name="forecast of 10,000 that wait, a month of sends behind it",
            value=f"{milli(ledger + backlog + ahead)} (ledger {milli(ledger)}, list {milli(backlog)}, "
            f"ahead {milli(ahead)})",
            wanted="≤ 200 ms",
        ),
    ]


def _fill(tx: Tx) -> None:
    now = CLOCK.now()
    drafts = [
        Draft(
            account_id=1,
            recipient=f"+90532{number:07d}",
            content=Content(text="Bakiyeniz 1.250,00 TL."),
            category=10,
            lane=Lane.BULK,
            priority=4,
            expires_at=now + timedelta(days=2),
        )
        for number in range(_LIST)
    ]
    ask = BatchAsk(account_id=1, category=10, body_hash=b"bench", is_of_customers=True)
    tx.execute("BEGIN IMMEDIATE")
    accepting.accept_batch(tx, ask, drafts, token_id=1, now=now, line_ms=1, key=None, repeats_since=None, quota=None)
    tx.execute("COMMIT")


def _remember(tx: Tx) -> None:
    """Write a month of sends, a few in each minute."""
    tx.execute("BEGIN IMMEDIATE")
    minute = int(CLOCK.now().timestamp()) // 60
    for place in range(_HISTORY // 2):
        used = "INSERT INTO pace_use (account_id, minute, track, sends) VALUES (1, ?, 'mevcut', 2)"
        tx.execute(used, (minute - place,))
    tx.execute("COMMIT")


def _turn() -> Turn:
    course = Course(pace=WEB_PACE, rules=_RULES, hours=_HOURS, warm_days=WARM_AFTER)
    return Turn(after=FIRST_TURN, course=course, steady=int(CLOCK.now().timestamp() * 1_000))


def _claims(tx: Tx, turn: Callable[[], Turn]) -> float:
    """Answer the CPU seconds of a claim, each in a transaction that is rolled back."""
    spent = []
    for _ in range(_CLAIMS):
        each = turn()
        tx.execute("BEGIN IMMEDIATE")
        began = thread_time()
        claimed = claiming.claim(tx, 1, list(Lane), now=CLOCK.now(), secret=bytes(32), draw=0.5, turn=each)
        spent.append(thread_time() - began)
        tx.execute("ROLLBACK")
        if claimed is None or claimed.message is None:
            raise RuntimeError("nothing may leave")
    return middle(spent)


def _judgements(history: int) -> float:
    """Answer the CPU seconds of one judgement of a course with so many sends behind it."""
    now = int(CLOCK.now().timestamp() * 1_000)
    course = Course(pace=WEB_PACE, rules=_RULES, hours=_HOURS, warm_days=WARM_AFTER)
    ask = Ask(lane=Lane.BULK, track=Track.EXISTING, courtesy=Courtesy.QUIET)
    for place in range(history):
        course.spend(ask, now - (history - place) * 60_000, 0.5)
    began = thread_time()
    for place in range(_JUDGEMENTS):
        course.judge(ask, now + place)
    return (thread_time() - began) / _JUDGEMENTS


def _forecast(tx: Tx) -> tuple[float, float, float]:
    """Answer the CPU seconds of a forecast: reading what was used, counting what waits, and running ahead."""
    now = CLOCK.now()
    times = [thread_time()]
    ledger = pacing.ledger(tx, 1, now=now)
    course = begin(ledger, WEB_PACE, _RULES, _HOURS, steady=ledger.steady_ms, offset=0)
    times.append(thread_time())
    waiting = pacing.backlog(tx, 1, now=now)
    times.append(thread_time())
    course.warm_days = WARM_AFTER
    crowds = [
        Crowd(ask=Ask(lane=row.lane, track=row.track, turn=row.turn, courtesy=row.courtesy), count=row.count)
        for row in waiting
    ]
    found = look_ahead(course, crowds, ledger.steady_ms)
    times.append(thread_time())
    if sum(len(ahead.moments) for ahead in found.values()) != _LIST:
        raise RuntimeError("somebody is left out")
    ledger_took, backlog_took, ahead_took = (later - earlier for earlier, later in pairwise(times))
    return ledger_took, backlog_took, ahead_took
